// The different texts of a column, numbered in order of appearance.

/// A small hash table from cell contents to codes. Texts stay where they are in the file.
struct TextCodes {
  /// A text in the file.
  struct Entry {
    var cell: TableText.Cell
    var row: Int
  }

  /// The different texts, in order of appearance.
  private(set) var entries: [Entry] = []
  /// Whether more texts came than the limit allows; later ones have no code.
  private(set) var isFull = false
  private let limit: Int
  private var slots: [Int32]
  private var hashes: [UInt64] = []

  /// No texts yet; `limit` at most.
  init(limit: Int) {
    self.limit = limit
    slots = [Int32](repeating: -1, count: 64)
  }

  /// The text's code, new if it was not met before; nil past the limit.
  mutating func code(of cell: TableText.Cell, row: Int) -> Int? {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in cell.content { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    var slot = Int(truncatingIfNeeded: hash ^ (hash >> 29)) & (slots.count - 1)
    while slots[slot] >= 0 {
      let code = Int(slots[slot])
      if hashes[code] == hash, entries[code].cell.content.elementsEqual(cell.content) { return code }
      slot = (slot + 1) & (slots.count - 1)
    }
    guard entries.count < limit else {
      isFull = true
      return nil
    }
    slots[slot] = Int32(entries.count)
    hashes.append(hash)
    entries.append(Entry(cell: cell, row: row))
    if entries.count * 2 > slots.count { grow() }
    return entries.count - 1
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    for (code, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash ^ (hash >> 29)) & (slots.count - 1)
      while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(code)
    }
  }
}
