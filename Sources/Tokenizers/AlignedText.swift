// Text on its way through the stages, each character with the place in the input that it came from.

/// One Unicode scalar and the range of the original text, in scalars, that it stands for.
struct AlignedScalar: Sendable, Equatable {
  var value: UInt32
  var start: UInt32
  var end: UInt32

  /// The range of the original text.
  var range: Range<Int> { Int(start)..<Int(end) }
}

/// A stretch of text between two stages.
typealias AlignedText = ArraySlice<AlignedScalar>

extension ArraySlice<AlignedScalar> {
  /// A text that stands for itself.
  init(_ text: String) {
    var scalars: [AlignedScalar] = []
    scalars.reserveCapacity(text.utf8.count)
    for (index, scalar) in text.unicodeScalars.enumerated() {
      scalars.append(.init(value: scalar.value, start: UInt32(index), end: UInt32(index + 1)))
    }
    self = scalars[...]
  }

  /// The range of the original text that all of it stands for; `0..<0` where it is empty.
  var originalRange: Range<Int> {
    guard let first, let last else { return 0..<0 }
    return Int(first.start)..<Swift.max(Int(first.start), Int(last.end))
  }

  /// The scalars as a string.
  var string: String {
    var string = ""
    string.unicodeScalars.append(contentsOf: lazy.compactMap { Unicode.Scalar($0.value) })
    return string
  }

  /// Puts `prefix` before the text; it stands for the same place as the first scalar. An empty text stays empty.
  mutating func prepend(_ prefix: [UInt32]) {
    guard let first else { return }
    let added = prefix.map { AlignedScalar(value: $0, start: first.start, end: first.end) }
    self = (added + self)[...]
  }

  /// Whether the text begins with these scalars.
  func begins(with prefix: [UInt32]) -> Bool {
    prefix.count <= count && zip(prefix, self).allSatisfy { $0 == $1.value }
  }
}

extension String {
  /// The code points.
  var scalarValues: [UInt32] { unicodeScalars.map(\.value) }
}

/// Appends a scalar's UTF-8.
func appendUTF8(_ scalar: UInt32, to bytes: inout [UInt8]) {
  switch scalar {
  case 0..<0x80: bytes.append(UInt8(scalar))
  case 0x80..<0x800:
    bytes.append(UInt8(0xC0 | scalar >> 6))
    bytes.append(UInt8(0x80 | scalar & 0x3F))
  case 0x800..<0x10000:
    bytes.append(UInt8(0xE0 | scalar >> 12))
    bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
    bytes.append(UInt8(0x80 | scalar & 0x3F))
  default:
    bytes.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
    bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
    bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
    bytes.append(UInt8(0x80 | scalar & 0x3F))
  }
}
