// What pages can do: sort and filter tables, and show more or fewer edges of a graph.

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
    const show = () => {
      const shown = new Set();
      for (const edge of graph.querySelectorAll('.edge')) {
        const visible = Number(edge.dataset.rank) <= Number(slider.value);
        edge.style.display = visible ? '' : 'none';
        if (visible) { shown.add(edge.dataset.from); shown.add(edge.dataset.to); }
      }
      for (const node of graph.querySelectorAll('.node'))
        node.style.opacity = shown.has(node.dataset.name) ? 1 : 0.25;
      count.textContent = slider.value;
    };
    slider.addEventListener('input', show);
    show();
  }
  """
