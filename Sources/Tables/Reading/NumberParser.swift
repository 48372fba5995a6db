// Decimal text to float32, correctly rounded: a fast path for what tables hold, and strtof for the rest.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// 10^0 … 10^22: the powers of ten that a double holds exactly.
let exactPowersOfTen: [Double] = (0...22).map { exponent in
  (0..<exponent).reduce(1.0) { power, _ in power * 10 }
}

/// Reads the number that starts at `start`, if it is of a common form and ends right before `separator` or at `end`.
///
/// Up to 18 digits with an exponent within ±22 go through one double operation. The double is the nearest one to the
/// decimal (both operands are exact), so rounding it to float32 is right unless it lies exactly between two floats:
/// that case is left to the slow path, as are subnormal results.
/// - Returns: the value, whether the decimal can be told from the float again (see `ExactScale`), and where it ends; nil
///   where the slow path must look.
@inline(__always)
func fastNumber(
  _ start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>, separator: UInt8,
  powers: UnsafePointer<Double>
) -> (value: Float, isShort: Bool, next: UnsafePointer<UInt8>)? {
  var at = start
  guard at < end else { return nil }
  let negative = at.pointee == UInt8(ascii: "-")
  if negative || at.pointee == UInt8(ascii: "+") { at += 1 }
  var mantissa: UInt64 = 0
  let digitsStart = at
  while at < end {
    let digit = at.pointee &- 48
    if digit > 9 { break }
    mantissa = mantissa &* 10 &+ UInt64(digit)
    at += 1
  }
  var digits = at - digitsStart
  var exponent = 0
  if at < end, at.pointee == UInt8(ascii: ".") {
    at += 1
    let fraction = at
    while at < end {
      let digit = at.pointee &- 48
      if digit > 9 { break }
      mantissa = mantissa &* 10 &+ UInt64(digit)
      at += 1
    }
    exponent = -(at - fraction)
    digits &+= at - fraction
  }
  guard digits > 0, digits <= 18 else { return nil }
  if at < end, at.pointee | 0x20 == UInt8(ascii: "e") {
    at += 1
    guard at < end else { return nil }
    let negativeExponent = at.pointee == UInt8(ascii: "-")
    if negativeExponent || at.pointee == UInt8(ascii: "+") { at += 1 }
    var written = 0
    let exponentStart = at
    while at < end {
      let digit = at.pointee &- 48
      if digit > 9 { break }
      written = written &* 10 &+ Int(digit)
      at += 1
    }
    guard at > exponentStart, at - exponentStart <= 4 else { return nil }
    exponent &+= negativeExponent ? -written : written
  }
  guard at == end || at.pointee == separator else { return nil }
  guard mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else {
    return mantissa == 0 ? (negative ? -0.0 : 0, true, at) : nil
  }
  var value = Double(mantissa)
  value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent]
  let isBetweenFloats = value.bitPattern & 0x1fff_ffff == 0x1000_0000
  guard !isBetweenFloats, value < 0x1p127, value >= 0x1p-126 || mantissa == 0 else { return nil }
  // Six digits survive float32; more do where the number is one of its own.
  let isShort = mantissa <= 999_999 || Double(Float(value)) == value
  return (Float(negative ? -value : value), isShort, at)
}

/// What a cell says that the fast path could not read.
enum CellReading {
  case number(Double)
  case missing
  case infinite
  case text
}

/// Reads a whole cell, blanks and quotes removed: any decimal spelling, missing, or text.
func readCell(_ bytes: UnsafeBufferPointer<UInt8>, missing: MissingCells) -> CellReading {
  if missing.contains(bytes) { return .missing }
  let isDecimal = bytes.allSatisfy { byte in
    (byte &- 48) <= 9 || byte == 43 || byte == 45 || byte == 46 || byte | 0x20 == 101
  }
  if isDecimal, let value = strtod(Array(bytes)) { return Float(value).isFinite ? .number(value) : .infinite }
  let word = String(decoding: bytes, as: UTF8.self).lowercased()
  let unsigned = word.hasPrefix("-") || word.hasPrefix("+") ? word.dropFirst() : word[...]
  return unsigned == "inf" || unsigned == "infinity" ? .infinite : .text
}

/// The float nearest to a decimal text; rounding its double would round twice.
func nearestFloat(_ bytes: UnsafeBufferPointer<UInt8>, _ value: Double) -> Float {
  guard value.bitPattern & 0x1fff_ffff == 0x1000_0000 || abs(value) < 0x1p-126 else { return Float(value) }
  let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
  return terminated.withUnsafeBufferPointer { text in text.baseAddress.map { strtof($0, nil) } ?? Float(value)
  }
}

/// Whether a double can be told again from the float nearest to it: by the shortest decimal for that float.
func isShort(_ value: Double) -> Bool {
  let float = Float(value)
  return Double(float) == value || Double("\(float)") == value
}
