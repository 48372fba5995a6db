// Amounts of many rows, one line of points a name, in SVG.

/// Points along a line for each name, coloured by a level from low to high.
public struct Beeswarm: Figure {
  /// One line of points.
  public struct Line: Sendable {
    /// What the points are of.
    public var name: String
    /// Where each point lies, and its level from 0 to 1; nil for none, as a category or a missing cell has.
    public var points: [(x: Double, level: Double?)]

    /// A line of points.
    public init(_ name: String, _ points: [(x: Double, level: Double?)]) {
      self.name = name
      self.points = points
    }
  }

  /// What the picture shows.
  public var title: String
  /// What lies along the axis, with its unit.
  public var unit: String
  /// The lines, from the top.
  public var lines: [Line]

  /// A drawing of lines.
  public init(title: String, unit: String, lines: [Line]) {
    self.title = title
    self.unit = unit
    self.lines = lines
  }

  /// From low to high: blue to orange by way of grey, told apart by colour-blind readers; the last is for no level.
  private static let colours = ["#005a9c", "#5c8fb8", "#9a9a9a", "#cc8a4d", "#b34700", "#6b6b6b"]

  /// The picture.
  public var svg: String {
    let (left, top, plotWidth, step) = (170.0, 30.0, 420.0, 34.0)
    let all = lines.flatMap(\.points).map(\.x).filter(\.isFinite) + [0]
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    let (xLow, xHigh) = high > low ? (low, high) : (low - 0.5, high + 0.5)
    func x(_ value: Double) -> Double { left + plotWidth * (value - xLow) / (xHigh - xLow) }
    let legendWidth = 5 * 78 + 8 + textWidth("category or missing", size: 11)
    let width = max(left + max(plotWidth + 20, legendWidth), 8 + textWidth(title, size: 14))
    let bottom = top + step * Double(lines.count)
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(bottom + 62))" \
      viewBox="0 0 \(short(width)) \(short(bottom + 62))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for tick in ticks(from: xLow, to: xHigh) {
      text +=
        "<path class=\"axis\" d=\"M\(short(x(tick))) \(short(top))V\(short(bottom))\" stroke=\"#d0d0d0\"/>"
        + "<text class=\"ink\" x=\"\(short(x(tick)))\" y=\"\(short(bottom + 14))\" text-anchor=\"middle\" fill=\"#333333\">"
        + "\(tickText(tick))</text>\n"
    }
    for (row, line) in lines.enumerated() {
      let middle = top + step * (Double(row) + 0.5)
      let name = line.name.count > 26 ? line.name.prefix(25) + "…" : line.name[...]
      text +=
        "<text class=\"ink\" x=\"\(short(left - 6))\" y=\"\(short(middle + 4))\" text-anchor=\"end\" fill=\"#333333\">"
        + "\(escaped(String(name)))</text>\n"
      // Points of one place are stacked to both sides of the line, and squeezed where they are many.
      var stacks: [Int: Int] = [:]
      var paths = [String](repeating: "", count: Self.colours.count)
      for point in line.points where point.x.isFinite {
        // Where the ends are too far apart for a scale, there is no place to draw.
        let across = x(point.x)
        guard across.isFinite else { continue }
        let place = Int((across / 4).rounded())
        let count = stacks[place, default: 0]
        stacks[place] = count + 1
        let distance = min(step / 2 - 4, Double((count + 1) / 2) * 2.6) * (count % 2 == 0 ? 1 : -1)
        let bucket = point.level.map { Int(5 * min(0.99, max(0, $0.isFinite ? $0 : 0))) } ?? 5
        paths[bucket] += "M\(short(across)) \(short(middle + distance))h.01"
      }
      for (bucket, path) in paths.enumerated() where !path.isEmpty {
        text +=
          "<path d=\"\(path)\" stroke=\"\(Self.colours[bucket])\" stroke-width=\"4\" stroke-linecap=\"round\" "
          + "opacity=\"0.85\" fill=\"none\"/>\n"
      }
    }
    text +=
      "<text class=\"ink\" x=\"\(short(left + plotWidth / 2))\" y=\"\(short(bottom + 32))\" text-anchor=\"middle\" "
      + "fill=\"#333333\">\(escaped(unit))</text>\n"
    for (place, legend) in ["low value", "", "middle", "", "high value", "category or missing"].enumerated()
    where !legend.isEmpty {
      let start = left + Double(place) * 78
      text +=
        "<path d=\"M\(short(start)) \(short(bottom + 48))h.01\" stroke=\"\(Self.colours[place])\" stroke-width=\"8\" "
        + "stroke-linecap=\"round\"/><text class=\"ink\" x=\"\(short(start + 8))\" y=\"\(short(bottom + 52))\" "
        + "fill=\"#333333\">\(legend)</text>\n"
    }
    return text + "</svg>\n"
  }
}
