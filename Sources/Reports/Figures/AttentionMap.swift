// Where each token of a prompt looks, in SVG.

/// The attention of one head on one prompt: queries down, keys across.
public struct AttentionMap: Figure {
  /// What the picture shows.
  public var title: String
  /// The prompt's tokens.
  public var tokens: [String]
  /// `[query][key]`, from 0 to 1; keys that a query may not see are left out.
  public var weights: [[Double]]

  /// A map.
  public init(title: String, tokens: [String], weights: [[Double]]) {
    self.title = title
    self.tokens = tokens
    self.weights = weights
  }

  /// The picture; squares of more than a twentieth say their weight when pointed at.
  public var svg: String {
    let cell = 15.0
    let names = tokens.map { $0.count > 14 ? $0.prefix(13) + "…" : $0[...] }.map(String.init)
    let margin = (names.map { textWidth($0, size: 10) }.max() ?? 0) + 4
    let (left, top) = (margin, 26 + margin * 0.72)
    let width = max(left + cell * Double(tokens.count) + margin * 0.72, 8 + textWidth(title, size: 14))
    let height = top + cell * Double(tokens.count) + 10
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="10" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for (place, name) in names.enumerated() {
      let (x, y) = (left + cell * (Double(place) + 0.7), top - 4)
      text +=
        "<text class=\"ink\" x=\"\(short(left - 4))\" y=\"\(short(top + cell * (Double(place) + 0.75)))\" "
        + "text-anchor=\"end\" fill=\"#333333\">\(escaped(name))</text>"
        + "<text class=\"ink turned\" x=\"\(short(x))\" y=\"\(short(y))\" fill=\"#333333\" "
        + "transform=\"rotate(-45 \(short(x)) \(short(y)))\">\(escaped(name))</text>\n"
    }
    for (query, row) in weights.enumerated() {
      for (key, weight) in row.enumerated() where weight >= 0.005 {
        let (x, y) = (left + cell * Double(key), top + cell * Double(query))
        let square =
          "x=\"\(short(x))\" y=\"\(short(y))\" width=\"14\" height=\"14\" fill=\"#b34700\" "
          + "opacity=\"\(short(10 * min(1, weight)) == "10" ? "1" : "\((min(1, weight) * 100).rounded() / 100)")\""
        guard weight >= 0.05, names.indices.contains(query), names.indices.contains(key) else {
          text += "<rect class=\"f1\" \(square)/>\n"
          continue
        }
        text +=
          "<rect class=\"f1\" \(square)><title>\(escaped(names[query])) → \(escaped(names[key])): "
          + "\((weight * 100).rounded() / 100)</title></rect>\n"
      }
    }
    return text
      + "<rect class=\"axis\" x=\"\(short(left))\" y=\"\(short(top))\" width=\"\(short(cell * Double(tokens.count)))\" "
      + "height=\"\(short(cell * Double(tokens.count)))\" fill=\"none\" stroke=\"#d0d0d0\"/>\n</svg>\n"
  }
}
