// What pages can do: sort and filter tables, show more or fewer edges of a graph, and ask small models about a row.

/// The script of every page. It works on what stands in the page; without it the page is whole, but still.
let pageScript = """
  'use strict';
  for (const table of document.querySelectorAll('table.data')) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = head.querySelector('button');
      if (!button) return;
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') !== 'descending';
        heads.forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const key = row => {
          const cell = row.cells[column], value = cell.dataset.value ?? cell.textContent;
          return value === '' || isNaN(value) ? value : Number(value);
        };
        const rows = [...body.rows].sort((a, b) => {
          const one = key(a), two = key(b);
          if (typeof one === typeof two) return one < two ? -1 : one > two ? 1 : 0;
          return typeof one === 'number' ? 1 : -1;
        });
        if (down) rows.reverse();
        body.append(...rows);
      });
    });
    const box = document.querySelector(`input[data-filter="${table.id}"]`);
    box?.addEventListener('input', () => {
      const wanted = box.value.toLowerCase();
      for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }
  for (const slider of document.querySelectorAll('input[data-graph]')) {
    const graph = document.getElementById(slider.dataset.graph);
    const count = document.getElementById(slider.id + '-count');
    const boxes = [...document.querySelectorAll('input[data-role]')].filter(box => box.dataset.of === graph.id);
    const show = () => {
      const shown = new Set(), left = boxes.filter(box => box.checked).map(box => box.dataset.role);
      for (const edge of graph.querySelectorAll('.edge')) {
        const roles = edge.dataset.roles ? edge.dataset.roles.split(', ') : [];
        const read = roles.length === 0 || roles.some(role => left.includes(role));
        const visible = read && Number(edge.dataset.rank) <= Number(slider.value);
        edge.style.display = visible ? '' : 'none';
        if (visible) { shown.add(edge.dataset.from); shown.add(edge.dataset.to); }
      }
      for (const node of graph.querySelectorAll('.node'))
        node.style.opacity = shown.has(node.dataset.name) ? 1 : 0.25;
      count.textContent = slider.value;
    };
    slider.addEventListener('input', show);
    boxes.forEach(box => box.addEventListener('change', show));
    show();
  }
  for (const choice of document.querySelectorAll('select[data-choice]')) {
    const pieces = [...document.getElementById(choice.dataset.choice).children];
    const show = () => pieces.forEach((piece, place) => { piece.hidden = place !== Number(choice.value); });
    choice.addEventListener('input', show);
    show();
  }
  for (const panel of document.querySelectorAll('.what-if')) {
    const data = JSON.parse(panel.querySelector('script').textContent);
    const fields = panel.querySelector('.fields'), answers = panel.querySelector('.answers');
    const leaf = (tree, cells) => {
      let node = 0;
      while (tree.f[node] >= 0) {
        const cell = cells[tree.f[node]], asked = tree.t[node];
        const yes = cell === null ? tree.m[node] === 1 : Array.isArray(asked) ? asked.includes(cell) : cell <= asked;
        node = yes ? tree.l[node] : tree.r[node];
      }
      return tree.l[node];
    };
    const links = {
      identity: s => s, exponential: s => s.map(Math.exp), complement: s => [1 - s[0], s[0]],
      step: s => s[0] > 0 ? [0, 1] : [1, 0],
      logistic: (s, slope) => { const p = 1 / (1 + Math.exp(-slope * s[0])); return [1 - p, p]; },
      logisticEach: (s, slope) => s.map(x => 1 / (1 + Math.exp(-slope * x))),
      signedSquare: s => s.map(x => x * Math.abs(x)),
      softmax: s => {
        const most = Math.max(...s), powers = s.map(x => Math.exp(x - most));
        const sum = powers.reduce((a, b) => a + b);
        return powers.map(x => x / sum);
      }
    };
    const predict = (model, cells) => {
      const sums = model.base.map(() => 0);
      for (const tree of model.trees) {
        const first = leaf(tree, cells);
        if (tree.o !== undefined) sums[tree.o] += tree.v[first];
        else sums.forEach((_, i) => { sums[i] += tree.v[first + i]; });
      }
      return links[model.link.name](model.base.map((b, i) => b + model.scale * sums[i]), model.link.slope);
    };
    const models = [['surrogate', data.surrogate], ['black box', data.black_box]].filter(pair => pair[1]);
    const start = models.map(pair => predict(pair[1], data.cells));
    let cells = data.cells.slice();
    const isClasses = data.outputs.length > 1;
    const text = value => isClasses ? value.toFixed(3) : String(Number(value.toPrecision(6)));
    const element = (name, content, parent) => {
      const made = document.createElement(name);
      if (content !== undefined) made.textContent = content;
      parent?.append(made);
      return made;
    };
    const show = () => {
      const table = element('table'), head = element('tr', undefined, element('thead', undefined, table));
      const titles = [isClasses ? 'class' : 'quantity'].concat(models.flatMap(pair => [pair[0] + ', as it is', pair[0] + ', changed']));
      for (const title of titles) element('th', title, head).scope = 'col';
      const now = models.map(pair => predict(pair[1], cells)), body = element('tbody', undefined, table);
      data.outputs.forEach((output, i) => {
        const row = element('tr', undefined, body);
        element('th', output, row).scope = 'row';
        models.forEach((_, m) => {
          element('td', text(start[m][i]), row).className = 'n';
          element('td', text(now[m][i]), row).className = 'n';
        });
      });
      answers.replaceChildren(table);
    };
    const build = () => {
      fields.replaceChildren();
      data.features.forEach((feature, place) => {
        if (!feature.kept) return;
        const label = element('label', undefined, fields);
        element('span', feature.name, label);
        const input = element(feature.categories ? 'select' : 'input', undefined, label);
        if (feature.categories) {
          feature.categories.forEach((name, code) => { element('option', name, input).value = code; });
          element('option', 'missing', input).value = '';
        } else {
          input.type = 'number';
          input.step = 'any';
          if (feature.low !== undefined) element('small', `${feature.low} to ${feature.high} in the table`, label);
        }
        input.value = cells[place] === null ? '' : cells[place];
        input.addEventListener('input', () => {
          cells[place] = input.value === '' ? null : Number(input.value);
          show();
        });
      });
    };
    panel.querySelector('.reset').addEventListener('click', () => { cells = data.cells.slice(); build(); show(); });
    build();
    show();
  }
  """
