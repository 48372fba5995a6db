// Named amounts as horizontal bars, in SVG.

/// Bars to both sides of zero, with intervals.
public struct BarChart: Figure {
  /// One bar.
  public struct Bar: Sendable {
    /// What it is the amount of.
    public var name: String
    /// How long it is.
    public var value: Double
    /// Its interval; nil for none.
    public var interval: ClosedRange<Double>?

    /// A bar.
    public init(_ name: String, _ value: Double, interval: ClosedRange<Double>? = nil) {
      self.name = name
      self.value = value
      self.interval = interval
    }
  }

  /// What the picture shows.
  public var title: String
  /// What is measured, with its unit.
  public var unit: String
  /// The bars, from the top.
  public var bars: [Bar]
  /// Whether each bar begins where the one above it ends, from `start`.
  public var start: Double?

  /// A chart; with `start`, a waterfall from there.
  public init(title: String, unit: String, bars: [Bar], start: Double? = nil) {
    self.title = title
    self.unit = unit
    self.bars = bars
    self.start = start
  }

  /// The picture.
  public var svg: String {
    let (left, top, plotWidth, step) = (200.0, 30.0, 380.0, 22.0)
    var spans: [(from: Double, to: Double)] = []
    var place = start ?? 0
    for bar in bars {
      spans.append((start == nil ? 0 : place, start == nil ? bar.value : place + bar.value))
      place += bar.value
    }
    let ends =
      spans.flatMap { [$0.from, $0.to] }
      + bars.compactMap(\.interval).flatMap {
        start == nil ? [$0.lowerBound, $0.upperBound] : []
      }
    let finite = ends.filter(\.isFinite) + [start ?? 0]
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
    let (xLow, xHigh) = high > low ? (low, high) : (low - 0.5, high + 0.5)
    func x(_ value: Double) -> Double {
      left + plotWidth * min(1, max(0, ((value.isFinite ? value : 0) - xLow) / (xHigh - xLow)))
    }
    let width = max(left + plotWidth + 80, 8 + textWidth(title, size: 14))
    let height = top + step * Double(bars.count) + 40
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    let bottom = top + step * Double(bars.count)
    for tick in ticks(from: xLow, to: xHigh) {
      text +=
        "<path class=\"axis\" d=\"M\(short(x(tick))) \(short(top))V\(short(bottom))\" stroke=\"#d0d0d0\"/>"
        + "<text class=\"ink\" x=\"\(short(x(tick)))\" y=\"\(short(bottom + 14))\" text-anchor=\"middle\" fill=\"#333333\">"
        + "\(tickText(tick))</text>\n"
    }
    for (row, bar) in bars.enumerated() {
      let y = top + step * Double(row)
      let (from, to) = (x(spans[row].from), x(spans[row].to))
      let colour = bar.value < 0 ? 0 : 1
      let name = bar.name.count > 30 ? bar.name.prefix(29) + "…" : bar.name[...]
      text +=
        "<text class=\"ink\" x=\"\(short(left - 6))\" y=\"\(short(y + 14))\" text-anchor=\"end\" fill=\"#333333\">"
        + "\(escaped(String(name)))</text>"
        + "<rect class=\"cell f\(colour)\" tabindex=\"0\" x=\"\(short(min(from, to)))\" y=\"\(short(y + 3))\" "
        + "width=\"\(short(max(1, abs(to - from))))\" height=\"\(short(step - 7))\" fill=\"\(seriesColours[colour])\">"
        + "<title>\(escaped(bar.name)): \(rounded(bar.value))"
        + (bar.interval.map { ", interval \(rounded($0.lowerBound)) to \(rounded($0.upperBound))" } ?? "")
        + "</title></rect>"
        + "<text class=\"ink\" x=\"\(short(left + plotWidth + 8))\" y=\"\(short(y + 14))\" fill=\"#333333\">"
        + "\(rounded(bar.value))</text>\n"
      if let interval = bar.interval, start == nil {
        text +=
          "<path class=\"s5\" d=\"M\(short(x(interval.lowerBound))) \(short(y + step / 2))"
          + "H\(short(x(interval.upperBound)))\" stroke=\"#444444\" stroke-width=\"1.5\"/>\n"
      }
    }
    text +=
      "<text class=\"ink\" x=\"\(short(left + plotWidth / 2))\" y=\"\(short(bottom + 32))\" text-anchor=\"middle\" "
      + "fill=\"#333333\">\(escaped(unit))</text>\n</svg>\n"
    return text
  }

  private func rounded(_ value: Double) -> String { tickText((value * 1e3).rounded() / 1e3) }
}
