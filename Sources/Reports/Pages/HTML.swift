// HTML as text, put together from elements whose contents are escaped unless they are HTML themselves.

/// A piece of HTML.
public struct HTML: Sendable, Equatable {
  /// As it stands in the page.
  public let source: String
  /// The drawings in it.
  public let figures: [SavedFigure]

  /// HTML that is written already, such as an SVG of this library.
  public init(trusted source: String) {
    self.source = source
    figures = []
  }

  /// HTML with drawings in it.
  init(_ html: HTML, figures: [SavedFigure]) {
    source = html.source
    self.figures = html.figures + figures
  }

  /// Text, escaped.
  public init(_ text: String) { self.init(trusted: escaped(text)) }

  /// Several pieces, one after the other.
  public init(_ parts: [HTML]) {
    source = parts.map(\.source).joined()
    figures = parts.flatMap(\.figures)
  }

  /// An element with attributes, whose values are escaped; one with an empty value stands without it.
  public static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: [HTML]
  ) -> HTML {
    let text = attributes.map { key, value in value.isEmpty ? " \(key)" : " \(key)=\"\(escaped(value))\"" }
    return HTML(
      HTML(trusted: "<\(name)\(text.joined())>" + content.map(\.source).joined() + "</\(name)>"),
      figures: content.flatMap(\.figures))
  }

  /// An element without attributes.
  public static func element(_ name: String, _ content: [HTML]) -> HTML { element(name, [:], content) }

  /// An element without attributes around text.
  public static func element(_ name: String, _ text: String) -> HTML { element(name, [:], [HTML(text)]) }

  /// An element around text.
  public static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String>, _ text: String
  ) -> HTML { element(name, attributes, [HTML(text)]) }

  /// A paragraph.
  public static func paragraph(_ text: String) -> HTML { element("p", text) }
}

/// Text as it stands in HTML and XML.
func escaped(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    // Control characters are not allowed in XML, and show as what they are.
    case let control where control.value < 32: result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
