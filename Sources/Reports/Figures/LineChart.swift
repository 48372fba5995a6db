// Curves over a common axis, in SVG.

/// Lines through points, some with a band around them.
public struct LineChart: Figure {
  /// One line.
  public struct Series: Sendable {
    /// Its name.
    public var name: String
    /// Its points, from the left.
    public var points: [(x: Double, y: Double)]
    /// The ends of an interval at each point; empty for none.
    public var band: [ClosedRange<Double>]

    /// A line.
    public init(_ name: String, _ points: [(x: Double, y: Double)], band: [ClosedRange<Double>] = []) {
      precondition(
        band.isEmpty || band.count == points.count, "\(band.count) intervals at \(points.count) points")
      self.name = name
      self.points = points
      self.band = band
    }
  }

  /// What the picture shows.
  public var title: String
  /// What lies along the axes.
  public var xTitle: String
  /// What is measured.
  public var yTitle: String
  /// The lines.
  public var series: [Series]
  /// The ends of the axes; nil for what the points need.
  public var xRange: ClosedRange<Double>?
  /// The same upwards.
  public var yRange: ClosedRange<Double>?
  /// Thin grey lines behind the others, without names.
  public var background: [[(x: Double, y: Double)]] = []
  /// Whether the line from corner to corner is drawn, as chance is in a ROC curve.
  public var showsDiagonal = false

  /// A chart.
  public init(
    title: String, xTitle: String, yTitle: String, series: [Series], xRange: ClosedRange<Double>? = nil,
    yRange: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
    self.xRange = xRange
    self.yRange = yRange
  }

  private func ends(_ given: ClosedRange<Double>?, _ values: [Double]) -> (Double, Double) {
    if let given, given.upperBound > given.lowerBound { return (given.lowerBound, given.upperBound) }
    let finite = values.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    return high > low ? (low, high) : (low - 0.5, high + 0.5)
  }

  /// The picture.
  public var svg: String {
    let (plotWidth, plotHeight, left, top) = (360.0, 240.0, 58.0, 34.0)
    let points = series.flatMap(\.points) + background.flatMap { $0 }
    let (xLow, xHigh) = ends(xRange, points.map(\.x))
    let (yLow, yHigh) = ends(
      yRange, points.map(\.y) + series.flatMap(\.band).flatMap { [$0.lowerBound, $0.upperBound] })
    func x(_ value: Double) -> Double { left + plotWidth * min(1, max(0, (value - xLow) / (xHigh - xLow))) }
    func y(_ value: Double) -> Double {
      top + plotHeight * (1 - min(1, max(0, (value - yLow) / (yHigh - yLow))))
    }
    let width = max(
      left + plotWidth + 20, 8 + textWidth(title, size: 14),
      left + 30 + (series.map { textWidth($0.name, size: 11) }.max() ?? 0))
    let height = top + plotHeight + 46 + 18 * Double(series.count)
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for tick in ticks(from: xLow, to: xHigh) {
      text +=
        "<path class=\"axis\" d=\"M\(short(x(tick))) \(short(top))V\(short(top + plotHeight))\" stroke=\"#d0d0d0\"/>"
        + "<text class=\"ink\" x=\"\(short(x(tick)))\" y=\"\(short(top + plotHeight + 14))\" text-anchor=\"middle\" "
        + "fill=\"#333333\">\(tickText(tick))</text>\n"
    }
    for tick in ticks(from: yLow, to: yHigh) {
      text +=
        "<path class=\"axis\" d=\"M\(short(left)) \(short(y(tick)))H\(short(left + plotWidth))\" stroke=\"#d0d0d0\"/>"
        + "<text class=\"ink\" x=\"\(short(left - 6))\" y=\"\(short(y(tick) + 4))\" text-anchor=\"end\" fill=\"#333333\">"
        + "\(tickText(tick))</text>\n"
    }
    text +=
      "<text class=\"ink\" x=\"\(short(left + plotWidth / 2))\" y=\"\(short(top + plotHeight + 32))\" "
      + "text-anchor=\"middle\" fill=\"#333333\">\(escaped(xTitle))</text>"
      + "<text class=\"ink\" x=\"12\" y=\"\(short(top + plotHeight / 2))\" text-anchor=\"middle\" fill=\"#333333\" "
      + "transform=\"rotate(-90 12 \(short(top + plotHeight / 2)))\">\(escaped(yTitle))</text>\n"
    if showsDiagonal {
      text +=
        "<path class=\"axis\" d=\"M\(short(left)) \(short(top + plotHeight))L\(short(left + plotWidth)) \(short(top))\" "
        + "stroke=\"#d0d0d0\" stroke-dasharray=\"4 3\"/>\n"
    }
    let behind = background.map { line in
      "M"
        + line.filter { $0.x.isFinite && $0.y.isFinite }.map { "\(short(x($0.x))) \(short(y($0.y)))" }
        .joined(separator: "L")
    }
    if !behind.isEmpty {
      text +=
        "<path class=\"s5\" d=\"\(behind.joined())\" fill=\"none\" stroke=\"#444444\" stroke-width=\"0.7\" "
        + "opacity=\"0.3\"/>\n"
    }
    for (place, line) in series.enumerated() {
      let colour = seriesColours[place % seriesColours.count]
      let finite = line.points.filter { $0.x.isFinite && $0.y.isFinite }
      if line.band.count == line.points.count, !line.band.isEmpty {
        let upper = zip(line.points, line.band).map { "\(short(x($0.x))) \(short(y($1.upperBound)))" }
        let lower = zip(line.points, line.band).reversed().map {
          "\(short(x($0.x))) \(short(y($1.lowerBound)))"
        }
        text +=
          "<path class=\"f\(place % 6)\" d=\"M\((upper + lower).joined(separator: "L"))Z\" fill=\"\(colour)\" "
          + "opacity=\"0.15\"/>\n"
      }
      let path = finite.map { "\(short(x($0.x))) \(short(y($0.y)))" }.joined(separator: "L")
      // Lines differ by dashes as well as by colour.
      let dashes = place == 0 ? "" : " stroke-dasharray=\"\(3 * place) \(2 + place)\""
      text +=
        "<path class=\"s\(place % 6)\" d=\"M\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"\(dashes)/>\n"
      if finite.count <= 40 {
        for point in finite {
          text +=
            "<circle class=\"mark f\(place % 6)\" tabindex=\"0\" cx=\"\(short(x(point.x)))\" cy=\"\(short(y(point.y)))\" "
            + "r=\"3\" fill=\"\(colour)\"><title>\(escaped(line.name)): \(escaped(xTitle)) \(tickText(point.x)), "
            + "\(escaped(yTitle)) \(rounded(point.y))</title></circle>\n"
        }
      }
      let legend = top + plotHeight + 50 + 18 * Double(place)
      text +=
        "<path class=\"s\(place % 6)\" d=\"M\(short(left)) \(short(legend - 4))h24\" stroke=\"\(colour)\" "
        + "stroke-width=\"2\"\(dashes)/>"
        + "<text class=\"ink\" x=\"\(short(left + 30))\" y=\"\(short(legend))\" fill=\"#333333\">\(escaped(line.name))"
        + "</text>\n"
    }
    return text + "</svg>\n"
  }

  private func rounded(_ value: Double) -> String { tickText((value * 1e4).rounded() / 1e4) }
}
