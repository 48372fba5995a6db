// HTML, figures and CSV as they stand in files.

import Reports
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
              BarChart(title: nasty, unit: nasty, bars: [.init(nasty, 1)]).svg, caption: nasty),
            figure(
              LineChart(
                title: nasty, xTitle: nasty, yTitle: nasty, series: [.init(nasty, [(0, 0), (1, 1)])]
              ).svg, caption: nasty),
            adjustableGraph(
              LayeredGraph(
                title: nasty, nodes: [.init(nasty, row: 0), .init("b", row: 1)],
                edges: [.init(from: nasty, to: "b", label: nasty, weight: 1)]), id: nasty, shown: 1,
              caption: nasty),
            figure(
              HeatMap(
                title: nasty, rowTitle: nasty, columnTitle: nasty, rows: [nasty], columns: [nasty],
                values: [[1]]
              ).svg, caption: nasty),
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
      for svg in [line.svg, bars.svg, map.svg] {
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
    #expect(graph.dot.contains("\"b\" -> \"c\" [weight=1, score=-3.0, label=\"q\"];"))
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
