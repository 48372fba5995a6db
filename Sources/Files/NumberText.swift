// Numbers as text: the same on every machine, with a dot, never in the user's locale.

extension Double {
  /// The number with exactly `places` decimals, rounded half away from zero; `nan`, `inf` and `-inf` as they are.
  public func text(decimals places: Int) -> String {
    guard isFinite else { return "\(self)" }
    let scale = powerOfTen(places)
    let scaled = (magnitude * scale).rounded()
    guard scaled < 9e15 else { return "\(self)" }
    let digits = String(UInt64(scaled))
    let sign = self < 0 && scaled > 0 ? "-" : ""
    if places == 0 { return sign + digits }
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }

  /// The number to `digits` significant digits without needless zeros: 0.3127, 41.5, 1.2e-07.
  public func text(significant digits: Int) -> String {
    guard isFinite, self != 0 else { return isFinite ? "0" : "\(self)" }
    var exponent = 0
    var size = magnitude
    while size >= 10 {
      size /= 10
      exponent += 1
    }
    while size < 1 {
      size *= 10
      exponent -= 1
    }
    // Rounding may carry over: 9.996 to three digits is 10.0, and belongs to the next power.
    let steps = powerOfTen(digits - 1)
    if (size * steps).rounded() >= 10 * steps { exponent += 1 }
    if exponent < -4 || exponent >= 15 {
      var mantissa = trimmingZeros((self / powerOfTen(exponent)).text(decimals: digits - 1))
      // Rounding may have carried 9.99… to 10.
      if mantissa.hasSuffix("10") {
        mantissa.removeLast()
        exponent += 1
      }
      let power = (exponent < 0 ? "-" : "+") + (abs(exponent) < 10 ? "0" : "") + "\(abs(exponent))"
      return "\(mantissa)e\(power)"
    }
    return trimmingZeros(text(decimals: max(0, digits - 1 - exponent)))
  }
}

private func powerOfTen(_ exponent: Int) -> Double {
  var power = 1.0
  for _ in 0..<abs(exponent) { power *= 10 }
  return exponent < 0 ? 1 / power : power
}

private func trimmingZeros(_ text: String) -> String {
  guard text.contains(".") else { return text }
  var trimmed = text[...]
  while trimmed.hasSuffix("0") { trimmed = trimmed.dropLast() }
  if trimmed.hasSuffix(".") { trimmed = trimmed.dropLast() }
  return String(trimmed)
}
