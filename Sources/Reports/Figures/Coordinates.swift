// Numbers as they stand in a drawing.

/// To a tenth of a point: more would only be longer.
func short(_ value: Double) -> String {
  let rounded = (value * 10).rounded() / 10
  return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
}

/// About how wide a line of text is, on the wide side: sans-serif letters are seldom wider than 0.62 of their size.
func textWidth(_ text: String, size: Double) -> Double { 0.62 * size * Double(text.count) + 12 }

/// The colours of series in a file of its own; pages have theirs for light and dark.
let seriesColours = ["#005a9c", "#b34700", "#00755a", "#8a3b7a", "#6b6b00", "#444444"]

/// About `count` round numbers between two ends.
func ticks(from low: Double, to high: Double, about count: Int = 5) -> [Double] {
  guard low.isFinite, high.isFinite, high > low else { return [low] }
  var step = 1.0
  let raw = (high - low) / Double(count)
  while step > raw { step /= 10 }
  while step * 10 <= raw { step *= 10 }
  step *= raw / step >= 5 ? 5 : raw / step >= 2 ? 2 : 1
  let first = (low / step).rounded(.up)
  let last = (high / step).rounded(.down)
  guard last >= first, last - first < 1000 else { return [low, high] }
  return stride(from: first, through: last, by: 1).map { $0 * step }
}

/// A number as short as it can be told apart.
func tickText(_ value: Double) -> String {
  let rounded = (value * 1e6).rounded() / 1e6
  return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
}
