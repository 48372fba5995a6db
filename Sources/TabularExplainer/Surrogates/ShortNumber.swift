// Thresholds that can be said aloud: the number with the fewest digits between two observed values.

import Tables

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The number `t` with `low ≤ t < high` that has the fewest digits, and lies nearest to the middle among these.
///
/// A split `x ≤ t` then separates the two values, and what is printed is exactly what is computed.
func shortestNumber(from low: Float, below high: Float) -> Float {
  precondition(low < high, "no number from \(low) below \(high)")
  let middle = Double(low) / 2 + Double(high) / 2
  let size = max(abs(Double(low)), abs(Double(high)))
  guard size.isFinite, size > 0 else { return low }
  let top = Int(log10(size).rounded(.up))
  for exponent in stride(from: top, through: top - 9, by: -1) {
    // Whole powers of ten are exact up to 1e22; dividing by them keeps 0.3 the double nearest to 0.3.
    let power = pow(10, Double(abs(exponent)))
    let steps = exponent >= 0 ? middle / power : middle * power
    for whole in [steps.rounded(), steps.rounded(.down), steps.rounded(.up)] {
      let number = Float(exponent >= 0 ? whole * power : whole / power)
      if number >= low && number < high { return number }
    }
  }
  return low
}

/// The double `t` with `low ≤ t < high` that has the fewest digits, as `shortestNumber` has it for floats.
func shortestDouble(from low: Double, below high: Double) -> Double {
  let middle = low / 2 + high / 2
  let size = max(abs(low), abs(high))
  guard size.isFinite, size > 0, low < high else { return low }
  let top = Int(log10(size).rounded(.up))
  for exponent in stride(from: top, through: top - 17, by: -1) {
    let power = pow(10, Double(abs(exponent)))
    let steps = exponent >= 0 ? middle / power : middle * power
    for whole in [steps.rounded(), steps.rounded(.down), steps.rounded(.up)] {
      let number = exponent >= 0 ? whole * power : whole / power
      if number >= low && number < high { return number }
    }
  }
  return low
}

extension Float {
  /// The number as people write it: as few digits as tell it from every other float, no needless ".0".
  public var shortText: String {
    plainText(decimalValue(self))
  }
}
