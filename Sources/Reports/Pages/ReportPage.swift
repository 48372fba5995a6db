// One self-contained page: no network, light and dark, readable from a phone to a wall, and on paper.

import Files

/// A page of sections with figures and tables.
public struct ReportPage: Sendable {
  /// A part of the page under a heading.
  public struct Section: Sendable {
    /// The heading.
    public var title: String
    /// What stands under it.
    public var content: [HTML]

    /// A section.
    public init(_ title: String, _ content: [HTML]) {
      self.title = title
      self.content = content
    }
  }

  /// The title.
  public var title: String
  /// What was found, in a sentence or two.
  public var lead: [String]
  /// The parts, in order.
  public var sections: [Section]

  /// A page.
  public init(title: String, lead: [String], sections: [Section]) {
    self.title = title
    self.lead = lead
    self.sections = sections
  }

  /// The page as it stands in a file.
  public var text: String {
    let links = sections.enumerated().map { place, section in
      HTML.element("li", [.element("a", ["href": "#s\(place)"], section.title)])
    }
    let body =
      [HTML.element("header", [.element("h1", title)] + lead.map(HTML.paragraph))]
      + (sections.count > 2
        ? [.element("nav", ["aria-label": "Sections"], [.element("ul", links)])] : [])
      + [
        .element(
          "main",
          sections.enumerated().map { place, section in
            .element(
              "section", ["id": "s\(place)", "aria-labelledby": "h\(place)"],
              [.element("h2", ["id": "h\(place)"], section.title)] + section.content)
          })
      ]
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
      <link rel="icon" href="data:,">
      <title>\(escaped(title))</title>
      <style>\(pageStyle)</style>
      </head>
      <body>
      \(HTML(body).source)
      <script>\(pageScript)</script>
      </body>
      </html>

      """
  }

  /// The drawings of the page, each under a name of its own.
  public var figures: [(name: String, figure: SavedFigure)] {
    var counts: [String: Int] = [:]
    return sections.flatMap(\.content).flatMap(\.figures).map { figure in
      let count = counts[figure.name, default: 0] + 1
      counts[figure.name] = count
      return (count == 1 ? figure.name : "\(figure.name)-\(count)", figure)
    }
  }

  /// Writes every drawing to a folder: `NAME.svg`, and `NAME.dot` for a graph.
  /// - Throws: `FileError` where a file cannot be written.
  public func writeFigures(to folder: String) throws(FileError) {
    for (name, figure) in figures {
      try writeFile(figure.svg, to: folder + "/\(name).svg")
      if let dot = figure.dot { try writeFile(dot, to: folder + "/\(name).dot") }
    }
  }

  /// Writes the page, whole or not at all.
  /// - Throws: `FileError` where the file cannot be written.
  public func write(to path: String) throws(FileError) { try writeFile(text, to: path) }
}

/// Named values, such as where a result comes from.
public func facts(_ values: [(name: String, value: String)]) -> HTML {
  .element(
    "dl",
    values.map { .element("div", [.element("dt", $0.name), .element("dd", $0.value)]) })
}
