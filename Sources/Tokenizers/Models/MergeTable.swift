// Which two neighbouring tokens become one, and how early.

import Files

/// The merges of a byte-pair model: (left id, right id) → rank and resulting id.
struct MergeTable: Sendable {
  struct Merge: Sendable {
    /// The place in the list of merges; the smallest is done first.
    var rank: Int32
    var result: Int32
  }

  private var keys: [UInt64]
  private var merges: [Merge]
  private static let free = UInt64.max

  /// An empty table with room for `capacity` merges and no more.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    keys = [UInt64](repeating: Self.free, count: size)
    merges = [Merge](repeating: Merge(rank: 0, result: 0), count: size)
  }

  subscript(left: Int32, right: Int32) -> Merge? {
    get {
      let slot = self.slot(of: Self.key(left, right))
      return keys[slot] == Self.free ? nil : merges[slot]
    }
    set {
      guard let newValue else { return }
      let key = Self.key(left, right)
      let slot = self.slot(of: key)
      keys[slot] = key
      merges[slot] = newValue
    }
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  private func slot(of key: UInt64) -> Int {
    let mask = keys.count - 1
    let hash = key &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: hash >> 32) & mask
    while keys[slot] != Self.free, keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }
}

extension MergeTable {
  /// Reads `merges`: pairs of tokens, or texts of two tokens with a space between.
  ///
  /// - Parameter prefix: what a continuing token begins with, which is dropped inside a merged token.
  init(_ field: JSONField, vocabulary: Vocabulary, prefix: [UInt8]) throws(TokenizerProblem) {
    let document = field.document
    guard field.node.kind == .array else { throw .wrongValue(field: field.path, expected: "an array") }
    self.init(capacity: Int(field.node.next) - field.index)
    var child = field.index + 1
    var rank: Int32 = 0
    var whole: [UInt8] = []
    var right: [UInt8] = []
    while child < Int(field.node.next) {
      let node = document.nodes[child]
      whole.removeAll(keepingCapacity: true)
      right.removeAll(keepingCapacity: true)
      try Self.readPair(document, child, into: &whole, &right, place: "\(field.path)[\(rank)]")
      let leftID = vocabulary.id(of: whole)
      let rightID = vocabulary.id(of: right)
      let leftCount = whole.count
      whole.append(contentsOf: right.dropFirst(prefix.count))
      guard let leftID, let rightID, let result = vocabulary.id(of: whole) else {
        let missing = leftID == nil ? whole[..<leftCount] : rightID == nil ? right[...] : whole[...]
        throw .unknownToken(field: "\(field.path)[\(rank)]", token: String(decoding: missing, as: UTF8.self))
      }
      self[Int32(leftID), Int32(rightID)] = Merge(rank: rank, result: Int32(result))
      rank += 1
      child = Int(node.next)
    }
  }

  private static func readPair(
    _ document: JSONDocument, _ index: Int, into left: inout [UInt8], _ right: inout [UInt8],
    place: @autoclosure () -> String
  ) throws(TokenizerProblem) {
    let node = document.nodes[index]
    switch node.kind {
    case .array:
      guard Int(node.next) == index + 3, document.nodes[index + 1].isString,
        document.nodes[index + 2].isString
      else { throw .wrongValue(field: place(), expected: "two tokens") }
      try document.appendText(document.nodes[index + 1], to: &left)
      try document.appendText(document.nodes[index + 2], to: &right)
    case .string, .escapedString:
      var text: [UInt8] = []
      try document.appendText(node, to: &text)
      let parts = text.split(separator: 32, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw .wrongValue(field: place(), expected: "two tokens and one space") }
      left.append(contentsOf: parts[0])
      right.append(contentsOf: parts[1])
    default: throw .wrongValue(field: place(), expected: "two tokens")
    }
  }
}

extension JSONDocument.Node {
  var isString: Bool { kind == .string || kind == .escapedString }
}
