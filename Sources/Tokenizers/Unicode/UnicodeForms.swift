// Look-ups in the normalisation table.

enum UnicodeForms {
  private static let classes = spread(NormalizationTable.classes)
  private static let marks = spread(NormalizationTable.marks)

  private static let compositions: [UInt64: UInt32] = {
    var result: [UInt64: UInt32] = [:]
    let table = NormalizationTable.compositions
    for start in stride(from: 0, to: table.count, by: 3) {
      result[key(table[start], table[start + 1])] = table[start + 2]
    }
    return result
  }()

  /// Code point × 2 + (1 for compatibility) → where its parts stand in the table.
  private static let decompositions: [UInt32: Range<Int>] = {
    var result: [UInt32: Range<Int>] = [:]
    let table = NormalizationTable.decompositions
    var place = 0
    while place < table.count {
      let head = table[place]
      let end = place + 1 + Int(head & 127)
      result[(head >> 8) << 1 | (head >> 7) & 1] = place + 1..<end
      place = end
    }
    return result
  }()

  /// The canonical combining class; 0 for anything that is no mark.
  static func combiningClass(_ scalar: UInt32) -> UInt8 {
    scalar < 0x300 ? 0 : classes[scalar] ?? 0
  }

  /// Whether the code point is a mark to be stripped.
  static func isMark(_ scalar: UInt32) -> Bool { scalar >= 0x300 && marks[scalar] != nil }

  /// What two neighbours become; nil where they stay.
  static func composition(_ first: UInt32, _ second: UInt32) -> UInt32? { compositions[key(first, second)] }

  /// The full decomposition of a code point other than a Hangul syllable; nil where it has none.
  static func parts(of scalar: UInt32, isCompatible: Bool) -> ArraySlice<UInt32>? {
    guard scalar >= 0xA0 else { return nil }
    let range = (isCompatible ? decompositions[scalar << 1 | 1] : nil) ?? decompositions[scalar << 1]
    return range.map { NormalizationTable.decompositions[$0] }
  }

  private static func key(_ first: UInt32, _ second: UInt32) -> UInt64 {
    UInt64(first) << 32 | UInt64(second)
  }

  private static func spread(_ runs: [UInt32]) -> [UInt32: UInt8] {
    var result: [UInt32: UInt8] = [:]
    for start in stride(from: 0, to: runs.count, by: 3) {
      for scalar in runs[start]..<runs[start] + runs[start + 1] { result[scalar] = UInt8(runs[start + 2]) }
    }
    return result
  }
}
