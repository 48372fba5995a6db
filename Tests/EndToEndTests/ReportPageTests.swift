// Pages of results, opened from disk in a browser without a screen: they sort, filter and adjust, fit from a phone to a
// wall in light and dark, and ask for nothing but themselves.

import Foundation
import TestSupport
import Testing

/// Debian's chromium, where it is installed.
enum Browser {
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// The script of axe-core, which looks for what keeps people from using a page; `.ci/install-browser` fetches it.
  static let accessibility: String? = {
    let given = ProcessInfo.processInfo.environment["HEADLAMP_AXE"]
    let beside =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path + "/.cache/axe/axe.min.js"
    return try? String(contentsOfFile: given ?? beside, encoding: .utf8)
  }()

  /// What a page's own check says at some width and colour scheme, with what the browser logged.
  static func check(_ page: String, width: Int, isDark: Bool, in folder: String) throws -> (
    results: [String: String], log: String
  ) {
    let source = try String(contentsOfFile: page, encoding: .utf8)
    let checked = source.replacingOccurrences(
      of: "</body>", with: "<script>\(accessibility ?? "")</script><script>\(script)</script></body>")
    try checked.write(toFile: folder + "/checked.html", atomically: true, encoding: .utf8)
    let frame = """
      <!DOCTYPE html><meta charset="utf-8"><pre id="out"></pre>
      <iframe src="checked.html" style="border:0;width:\(width)px;height:900px"></iframe>
      <script>addEventListener('message', event => document.getElementById('out').textContent = event.data)</script>
      """
    try frame.write(toFile: folder + "/frame.html", atomically: true, encoding: .utf8)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "/usr/bin/chromium")
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=20000",
      "--window-size=\(max(500, width + 40)),1000", "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)",
      "--enable-logging=stderr", "--user-data-dir=\(folder)/profile", "--dump-dom",
      "file://\(folder)/frame.html",
    ]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // Read in turn to the end: logs are short enough for the pipe.
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let log = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard let start = text.range(of: "<pre id=\"out\">"), let end = text.range(of: "</pre>") else {
      return ([:], text + log)
    }
    var results: [String: String] = [:]
    for line in text[start.upperBound..<end.lowerBound].split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
      if parts.count == 2 { results[parts[0]] = parts[1] }
    }
    let console = log.split(separator: "\n").filter { $0.contains("CONSOLE") }.joined(separator: "\n")
    return (results, console)
  }

  /// What a reader would do, written down as `name=value` lines.
  private static let script = """
    (() => {
      const out = [], say = (name, value) => out.push(name + '=' + value);
      const html = document.documentElement;
      say('overflow', html.scrollWidth > html.clientWidth ? 'yes' : 'no');
      say('background', getComputedStyle(document.body).backgroundColor);
      say('requests', performance.getEntriesByType('resource').length);
      const table = [...document.querySelectorAll('table.data')].find(t => t.tBodies[0].rows.length > 3);
      const first = () => table.tBodies[0].rows[0].cells[0].textContent;
      const button = table.querySelector('th button');
      button.focus(); say('focus', document.activeElement === button ? 'yes' : 'no');
      button.click(); const down = first(); button.click(); const up = first();
      say('sorted', down + ' ' + up);
      const box = document.querySelector('input[data-filter]');
      if (box) {
        const rows = () => [...document.getElementById(box.dataset.filter).tBodies[0].rows].filter(r => !r.hidden).length;
        const before = rows(); box.value = 'no such row'; box.dispatchEvent(new Event('input'));
        const after = rows(); box.value = ''; box.dispatchEvent(new Event('input'));
        say('filtered', before + ' ' + after + ' ' + rows());
      }
      const slider = document.querySelector('input[data-graph]');
      if (slider) {
        const edges = () => [...document.querySelectorAll('.edge')].filter(e => e.style.display !== 'none').length;
        slider.value = 3; slider.dispatchEvent(new Event('input')); say('edges', edges());
      }
      // Text that lies over other text of the same drawing, and pieces that stick out of the page.
      let overlaps = 0, cut = 0;
      for (const svg of document.querySelectorAll('figure svg')) {
        const frame = svg.getBoundingClientRect();
        const boxes = [...svg.querySelectorAll('text:not(.turned)')].filter(t => t.textContent).map(t => t.getBoundingClientRect());
        for (const box of boxes)
          if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) cut++;
        for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
          const a = boxes[i], b = boxes[j];
          if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 &&
              Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) overlaps++;
        }
      }
      say('overlaps', overlaps); say('cut', cut);
      const names = [...document.querySelectorAll('svg[role=img]')].every(s => s.getAttribute('aria-label'));
      say('named', names ? 'yes' : 'no');
      const attention = document.querySelector('select[data-choice]');
      if (attention) {
        const shown = () => [...document.getElementById(attention.dataset.choice).children].findIndex(p => !p.hidden);
        const before = shown(); attention.value = '1'; attention.dispatchEvent(new Event('input'));
        say('chosen', before + ' ' + shown());
      }
      const panel = document.querySelector('.what-if');
      if (panel) {
        const cells = () => [...panel.querySelectorAll('.answers td')].map(c => c.textContent);
        const before = cells(), input = panel.querySelector('.fields input, .fields select');
        const values = input.tagName === 'SELECT' ? [...input.options].map(o => o.value) : ['-1000000', '1000000'];
        let moved = false;
        for (const value of values) {
          input.value = value; input.dispatchEvent(new Event('input'));
          if (cells().some((c, i) => c !== before[i])) moved = true;
        }
        panel.querySelector('.reset').click();
        say('panel', (moved ? 'moved' : 'still') + ' ' + (cells().join() === before.join() ? 'back' : 'away'));
        say('answers', before.join(' '));
      }
      const done = () => parent.postMessage(out.join('\\n'), '*');
      if (typeof axe === 'undefined') return done();
      axe.run(document, { resultTypes: ['violations'] }).then(found => {
        say('axe', found.violations.map(v => v.id + ': ' + v.nodes[0].html.slice(0, 120)).join('; ') || 'none');
        done();
      }, problem => { say('axe', 'failed: ' + problem); done(); });
    })();
    """
}

@Suite(.serialized, .enabled(if: Browser.path != nil, "chromium is not installed"))
struct ReportPageTests {
  private func look(at page: String, in folder: String, hasGraph: Bool = false) throws {
    let size = try FileManager.default.attributesOfItem(atPath: page)[.size] as? Int ?? 0
    #expect(size > 4000 && size < 2_000_000)
    for width in [360, 800, 1600] {
      for isDark in [false, true] {
        let (found, log) = try Browser.check(page, width: width, isDark: isDark, in: folder)
        let place: Comment = "\(page), \(width) px, \(isDark ? "dark" : "light"): \(found) \(log)"
        #expect(log.isEmpty, place)
        #expect(found["overflow"] == "no", place)
        #expect(found["background"] == (isDark ? "rgb(22, 24, 28)" : "rgb(255, 255, 255)"), place)
        #expect(found["requests"] == "0", place)
        #expect(found["focus"] == "yes" && found["named"] == "yes", place)
        let ends = (found["sorted"] ?? "").split(separator: " ")
        #expect(ends.count == 2 && ends[0] != ends[1], place)
        if let filtered = found["filtered"]?.split(separator: " ") {
          #expect(filtered.count == 3 && filtered[1] == "0" && filtered[0] == filtered[2], place)
        }
        #expect(found["overlaps"] == "0" && found["cut"] == "0", place)
        if hasGraph { #expect(found["edges"] == "3", place) }
        if let chosen = found["chosen"] { #expect(chosen == "0 1", place) }
        if Browser.accessibility != nil { #expect(found["axe"] == "none", place) }
      }
    }
  }

  /// The page of a table: a row can be changed, and what the page's own models say is what the command says.
  @Test(arguments: [["--black-box", "boosted"], ["--black-box", "forest", "--surrogate", "tree-sum"]])
  func pagesOfTablesWork(model: [String]) throws {
    try withTemporaryFolder { folder in
      let out = folder + "/explain"
      let result = try headlamp(
        ["explain", "example", "--rows", "2,7", "--output", out, "--figures", "svg"] + model)
      try #require(result.exitCode == 0, "\(result.errors)")
      try look(at: out + "/report.html", in: folder)
      let (found, _) = try Browser.check(out + "/report.html", width: 800, isDark: false, in: folder)
      #expect(found["panel"] == "moved back")
      // fails and thrives, by the surrogate and by the black box where it is small: as they are, and changed.
      let answers = (found["answers"] ?? "").split(separator: " ").compactMap { Double($0) }
      let rows = try String(contentsOfFile: out + "/explanations.csv", encoding: .utf8).split(separator: "\n")
      let header = rows[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      let first = rows[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      func value(_ column: String) throws -> Double {
        try #require(header.firstIndex(of: column).flatMap { Double(first[$0]) })
      }
      let place = first[2] == "fails" ? 0 : answers.count / 2
      try #require(answers.count >= 4)
      #expect(abs(answers[place] - (try value("surrogate_prediction"))) < 6e-4)
      if answers.count == 8 { #expect(abs(answers[place + 2] - (try value("prediction"))) < 6e-4) }
      #expect(FileManager.default.fileExists(atPath: out + "/figures/importance-of-features.svg"))
      let page = try Data(contentsOf: URL(fileURLWithPath: out + "/report.html"))
      #expect(try headlamp(["report", out]).exitCode == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: out + "/report.html")) == page)
    }
  }

  @Test func pagesOfHeadsEdgesAndEffectsWork() throws {
    try withSmallModel { folder, model in
      let common = ["induction", "--model", model, "--examples", "12"]
      let runs = [
        ["discover"] + common + ["--epochs", "40", "--output", folder + "/discover"],
        ["attribute"] + common + ["--method", "eap", "--output", folder + "/attribute"],
        ["patch"] + common + ["--output", folder + "/patch"],
      ]
      for words in runs {
        let result = try headlamp(words)
        try #require(result.exitCode == 0, "\(result.errors)")
        let name = words[0]
        try look(at: folder + "/\(name)/report.html", in: folder, hasGraph: name == "attribute")
      }
      // From the files alone the same page comes again; without them there is one line.
      let page = try Data(contentsOf: URL(fileURLWithPath: folder + "/discover/report.html"))
      #expect(try headlamp(["report", folder + "/discover"]).exitCode == 0)
      #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/discover/report.html")) == page)
      let none = try headlamp(["report", folder])
      #expect(none.exitCode == 2 && none.errors.contains("to make a page of"))
      let left = try headlamp(
        ["attribute"] + common + ["--method", "eap", "--no-report", "--output", folder + "/bare"])
      #expect(left.exitCode == 0)
      #expect(!FileManager.default.fileExists(atPath: folder + "/bare/report.html"))
    }
  }
}
