// Which cells are missing: by their text, before anything else is made of it, or by their number.

/// The spellings of "missing".
struct MissingCells: Sendable {
  /// Texts, the shortest first.
  private let texts: [[UInt8]]
  /// Numbers that mean "missing" however they are written, with the place of their text among the further ones.
  let numbers: [(value: Double, place: Int)]
  /// The texts that the user has named, which must stand somewhere.
  let further: [[UInt8]]

  init(_ options: TableOptions) {
    texts = options.missingTexts.union(options.furtherMissingTexts).map { Array($0.utf8) }
      .sorted { $0.count < $1.count }
    further = options.furtherMissingTexts.map { Array($0.utf8) }
    numbers = options.furtherMissingTexts.enumerated().compactMap { place, text in
      strtod(Array(text.utf8)).map { ($0, place) }
    }
  }

  /// Whether a cell's text, quotes and blanks removed, means "missing".
  func contains(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if bytes.isEmpty { return true }
    for word in texts {
      if word.count > bytes.count { return false }
      if word.count == bytes.count, bytes.elementsEqual(word) { return true }
    }
    return false
  }

  /// The place among the user's texts of a cell's text; nil where it is none of them.
  func furtherPlace(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    further.isEmpty ? nil : further.firstIndex { bytes.elementsEqual($0) }
  }
}
