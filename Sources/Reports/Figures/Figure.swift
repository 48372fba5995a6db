// What every drawing has: a title, a picture, and perhaps a graph behind it.

/// A drawing.
public protocol Figure: Sendable {
  /// What the picture shows.
  var title: String { get }
  /// The picture, as an SVG of its own.
  var svg: String { get }
  /// The graph behind the picture in Graphviz's language; nil where there is none.
  var dot: String? { get }
}

extension Figure {
  /// Most pictures are not of graphs.
  public var dot: String? { nil }
}

/// A drawing as it goes into files.
public struct SavedFigure: Sendable, Equatable {
  /// The file's name without its ending: the title in small letters, with hyphens.
  public let name: String
  /// The picture.
  public let svg: String
  /// The graph behind it.
  public let dot: String?

  /// A drawing's files.
  public init(_ figure: some Figure) {
    let words = figure.title.lowercased().split { !($0.isLetter || $0.isNumber) || !$0.isASCII }
    name = words.isEmpty ? "figure" : words.prefix(8).joined(separator: "-")
    svg = figure.svg
    dot = figure.dot
  }
}

/// A figure with its caption; wide ones scroll by themselves.
public func figure(_ picture: some Figure, caption: String) -> HTML {
  HTML(figure(svg: picture.svg, caption: caption), figures: [SavedFigure(picture)])
}

/// A picture that is a file already, with its caption.
public func figure(svg: String, caption: String) -> HTML {
  .element(
    "figure",
    [
      .element(
        "div", ["class": "scroll", "tabindex": "0", "role": "group", "aria-label": caption],
        [HTML(trusted: svg)]),
      .element("figcaption", caption),
    ])
}
