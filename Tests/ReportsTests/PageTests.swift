// HTML, figures and CSV as they stand in files.

import Foundation
import Reports
import TestSupport
import Testing

@Suite struct PageTests {
  @Test func textIsEscapedWhereverItStands() {
    let nasty = "<script>alert(\"&\")</script>\u{1}"
    let safe = "&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;\u{FFFD}"
    #expect(HTML.element("p", ["title": nasty], nasty).source == "<p title=\"\(safe)\">\(safe)</p>")
    let page = ReportPage(
      title: nasty, lead: [nasty],
      sections: [
        .init(
          nasty,
          [
            DataTable(id: nasty, caption: nasty, header: [nasty], rows: [[.init(nasty)]]).html,
            figure(
              BarChart(title: nasty, unit: nasty, bars: [.init(nasty, 1)]), caption: nasty),
            figure(
              LineChart(
                title: nasty, xTitle: nasty, yTitle: nasty, series: [.init(nasty, [(0, 0), (1, 1)])]
              ), caption: nasty),
            figure(
              TreeDiagram(
                title: nasty,
                root: .question(nasty, yes: .answer(nasty, colour: 0), no: .answer(nasty, colour: 1))),
              caption: nasty),
            figure(
              Beeswarm(title: nasty, unit: nasty, lines: [.init(nasty, [(1, 0.5), (2, nil)])]),
              caption: nasty),
            adjustableGraph(
              LayeredGraph(
                title: nasty, nodes: [.init(nasty, row: 0), .init("b", row: 1)],
                edges: [.init(from: nasty, to: "b", label: nasty, weight: 1)]), id: nasty, shown: 1,
              caption: nasty),
            figure(
              HeatMap(
                title: nasty, rowTitle: nasty, columnTitle: nasty, rows: [nasty], columns: [nasty],
                values: [[1]]
              ), caption: nasty),
          ])
      ])
    #expect(!page.text.contains("<script>alert"))
  }

  @Test func figuresTakeWhatTheyAreGiven() {
    for values in [[], [0.0], [.nan, 1], [.infinity, -.infinity], [1e300, -1e300]] {
      let line = LineChart(
        title: "t", xTitle: "x", yTitle: "y", series: [.init("s", values.map { ($0, $0) })])
      let bars = BarChart(title: "t", unit: "u", bars: values.map { .init("b", $0) })
      let map = HeatMap(
        title: "t", rowTitle: "r", columnTitle: "c", rows: ["0"], columns: values.map { "\($0)" },
        values: [values])
      let swarm = Beeswarm(title: "t", unit: "u", lines: [.init("b", values.map { ($0, $0) })])
      for svg in [line.svg, bars.svg, map.svg, swarm.svg] {
        #expect(svg.hasPrefix("<svg") && svg.hasSuffix("</svg>\n") && !svg.contains("=\"nan"))
      }
    }
    #expect(LayeredGraph(title: "t", nodes: [.init("a", row: 0)], edges: []).nodes.isEmpty)
  }

  @Test func graphsAreDrawnStrongestFirstAndWrittenAsDOT() {
    let graph = LayeredGraph(
      title: "t", nodes: [.init("a", row: 0), .init("b", row: 1), .init("c", row: 2)],
      edges: [.init(from: "a", to: "b", weight: 1), .init(from: "b", to: "c", label: "q", weight: -3)])
    #expect(graph.edges.map(\.weight) == [-3, 1])
    let svg = graph.svg(id: "g")
    #expect(svg.contains("data-rank=\"1\" data-from=\"b\" data-to=\"c\""))
    #expect(graph.dot?.contains("\"b\" -> \"c\" [weight=1, score=-3.0, label=\"q\"];") == true)
  }

  /// Two questions and three answers: a line for each answer, and the same in Graphviz's language.
  @Test func treesAreDrawnFromLeftToRight() {
    let tree = TreeDiagram(
      title: "t",
      root: .question(
        "x ≤ 1", yes: .answer("a \"quoted\"", colour: 0),
        no: .question("y ≤ 2", yes: .answer("b", colour: 1), no: .answer("c", colour: 0))))
    #expect(tree.svg.components(separatedBy: ">yes</text>").count == 3)
    let dot = tree.dot ?? ""
    #expect(dot.contains("n0 [label=\"x ≤ 1\"];") && dot.contains("n0 -> n1 [label=\"yes\"];"))
    #expect(dot.contains("label=\"a \\\"quoted\\\"\"") && dot.contains("n2 -> n4 [label=\"no\"];"))
  }

  /// Figures of one title get files of their own; graphs get a second one.
  @Test func figuresAreFilesOfTheirOwn() throws {
    let bars = BarChart(title: "Importance of features", unit: "u", bars: [.init("a", 1)])
    let graph = LayeredGraph(
      title: "The circuit", nodes: [.init("a", row: 0), .init("b", row: 1)],
      edges: [.init(from: "a", to: "b", weight: 1)])
    let page = ReportPage(
      title: "t", lead: [],
      sections: [
        .init("one", [figure(bars, caption: "c"), .element("div", [figure(bars, caption: "c")])]),
        .init("two", [adjustableGraph(graph, id: "g", shown: 1, caption: "c")]),
      ])
    #expect(
      page.figures.map(\.name) == ["importance-of-features", "importance-of-features-2", "the-circuit"])
    try withTemporaryFolder { folder in
      try page.writeFigures(to: folder)
      #expect(try String(contentsOfFile: folder + "/the-circuit.dot", encoding: .utf8) == graph.dot)
      #expect(
        try String(contentsOfFile: folder + "/importance-of-features-2.svg", encoding: .utf8) == bars.svg)
    }
  }

  @Test func csvIsReadAsItIsWritten() {
    var document = CSVDocument(header: ["a", "b,c", "d"])
    document.append([.text("x \"y\"\nz"), .number(1.5), .empty])
    document.append([.text(" "), .integer(-2), .boolean(true)])
    let rows = CSVRows(parsing: document.text)
    #expect(rows.header == ["a", "b,c", "d"])
    #expect(rows.rows == [["x \"y\"\nz", "1.5", ""], [" ", "-2", "true"]])
    #expect(rows.number(0, "b,c") == 1.5 && rows.number(0, "d") == nil && rows.text(5, "a") == "")
    #expect(CSVRows(parsing: "a\r\n1\r\n2").rows == [["1"], ["2"]])
    #expect(CSVRows(parsing: "").header.isEmpty)
  }

  @Test func curvesHoldTiesTogether() throws {
    let curves = try #require(RankingCurves(scores: [3, 2, 2, 1], isTrue: [true, true, false, false]))
    #expect(curves.roc.map(\.y) == [0, 0.5, 1, 1] && curves.roc.map(\.x) == [0, 0, 0.5, 1])
    #expect(RankingCurves(scores: [1, 2], isTrue: [true, true]) == nil)
  }
}
