// The four normalisation forms of Unicode (UAX 15), on the package's own tables.
//
// The standard library has no public way to them, and Foundation's follow a newer Unicode, which would give other tokens.

/// A normalisation form.
enum UnicodeForm: String, Sendable {
  case composed = "NFC"
  case decomposed = "NFD"
  case compatibilityComposed = "NFKC"
  case compatibilityDecomposed = "NFKD"

  private var isCompatible: Bool { self == .compatibilityComposed || self == .compatibilityDecomposed }
  private var composes: Bool { self == .composed || self == .compatibilityComposed }

  /// The text in this form.
  func normalize(_ text: AlignedText) -> AlignedText {
    guard text.contains(where: { $0.value >= 0x80 }) else { return text }
    var changes: [ScalarChange] = []
    changes.reserveCapacity(text.count)
    for scalar in text { Self.decompose(scalar.value, isCompatible: isCompatible, into: &changes) }
    Self.reorder(&changes)
    return text.transformed(composes ? Self.compose(changes) : changes)
  }

  private static func decompose(_ scalar: UInt32, isCompatible: Bool, into changes: inout [ScalarChange]) {
    let own = changes.count
    if hangulSyllables.contains(scalar) {
      let index = scalar - hangulSyllables.lowerBound
      changes.append(.init(value: leadingJamo + index / 588, change: 0))
      changes.append(.init(value: vowelJamo + index % 588 / 28, change: 1))
      if index % 28 > 0 { changes.append(.init(value: trailingJamo + index % 28, change: 1)) }
    } else if let parts = UnicodeForms.parts(of: scalar, isCompatible: isCompatible) {
      for part in parts { changes.append(.init(value: part, change: changes.count == own ? 0 : 1)) }
    } else {
      changes.append(.init(value: scalar, change: 0))
    }
  }

  /// Runs of marks in the order of their classes, equal classes as they were.
  private static func reorder(_ changes: inout [ScalarChange]) {
    var start = 0
    while start < changes.count {
      guard UnicodeForms.combiningClass(changes[start].value) > 0 else {
        start += 1
        continue
      }
      let end =
        changes[start...].firstIndex { UnicodeForms.combiningClass($0.value) == 0 } ?? changes.count
      let ordered = changes[start..<end].map { ($0, UnicodeForms.combiningClass($0.value)) }.enumerated()
        .sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }
      for (offset, mark) in ordered.enumerated() { changes[start + offset] = mark.element.0 }
      start = end
    }
  }

  private static func compose(_ changes: [ScalarChange]) -> [ScalarChange] {
    var result: [ScalarChange] = []
    result.reserveCapacity(changes.count)
    var starter: Int?
    // The class of the mark before, 0 where the starter itself stands before.
    var lastClass: UInt8 = 0
    for change in changes {
      let ownClass = UnicodeForms.combiningClass(change.value)
      if let starter, lastClass < ownClass || (lastClass == 0 && result.count == starter + 1),
        let whole = composed(result[starter].value, change.value)
      {
        result[starter].value = whole
        result[starter].change += change.change - 1
        continue
      }
      if ownClass == 0 { starter = result.count }
      lastClass = ownClass
      result.append(change)
    }
    return result
  }

  private static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
    if (leadingJamo..<leadingJamo + 19).contains(first), (vowelJamo..<vowelJamo + 21).contains(second) {
      return hangulSyllables.lowerBound + ((first - leadingJamo) * 21 + (second - vowelJamo)) * 28
    }
    if hangulSyllables.contains(first), (first - hangulSyllables.lowerBound) % 28 == 0,
      (trailingJamo + 1..<trailingJamo + 28).contains(second)
    {
      return first + (second - trailingJamo)
    }
    return UnicodeForms.composition(first, second)
  }

  private static let hangulSyllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
  private static let leadingJamo: UInt32 = 0x1100
  private static let vowelJamo: UInt32 = 0x1161
  private static let trailingJamo: UInt32 = 0x11A7
}
