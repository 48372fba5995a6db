// Tokens by id and ids by token, keyed by UTF-8 bytes in one block of memory.
//
// A dictionary of strings takes 20 ms for 50,000 tokens; this takes two, because nothing is allocated per token.

import Files

/// The tokens of a model.
struct Vocabulary: Sendable {
  private var arena: [UInt8] = []
  /// Where each id's bytes lie in `arena`; empty and negative where an id is not used.
  private var starts: [Int32] = []
  private var lengths: [Int32] = []
  /// An open-addressing table of ids, −1 where free; its length is a power of two.
  private var slots: [Int32]
  private var count = 0

  /// Ids above this are refused: a table is allocated up to the largest.
  static var largestID: Int { Limit.token.value }

  /// An empty vocabulary with room for `capacity` tokens.
  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    slots = [Int32](repeating: -1, count: size)
    starts.reserveCapacity(capacity)
    lengths.reserveCapacity(capacity)
    arena.reserveCapacity(capacity * 8)
  }

  /// The largest id + 1.
  var size: Int { starts.count }

  /// Adds a token. An equal token that was there gets the new id, as the last of equal JSON members counts.
  mutating func insert(_ token: some Collection<UInt8>, id: Int) {
    precondition(id >= 0 && id <= Self.largestID, "token id \(id)")
    while starts.count <= id {
      starts.append(-1)
      lengths.append(0)
    }
    starts[id] = Int32(arena.count)
    lengths[id] = Int32(token.count)
    arena.append(contentsOf: token)
    if (count + 1) * 2 > slots.count { grow() }
    let slot = self.slot(of: token)
    if slots[slot] < 0 { count += 1 }
    slots[slot] = Int32(id)
  }

  /// The id of a token's bytes.
  func id(of token: some Collection<UInt8>) -> Int? {
    let id = slots[slot(of: token)]
    return id < 0 ? nil : Int(id)
  }

  /// The id of a token.
  func id(of token: String) -> Int? { id(of: token.utf8) }

  /// The bytes of an id; nil where no token has it.
  func bytes(of id: Int) -> ArraySlice<UInt8>? {
    guard starts.indices.contains(id), starts[id] >= 0 else { return nil }
    return arena[Int(starts[id])..<Int(starts[id] + lengths[id])]
  }

  /// The text of an id; nil where no token has it.
  func token(of id: Int) -> String? { bytes(of: id).map { String(decoding: $0, as: UTF8.self) } }

  /// The slot that holds the token, or the free one where it would be put.
  private func slot(of token: some Collection<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in token { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash ^ hash >> 29) & mask
    while slots[slot] >= 0, !holds(Int(slots[slot]), token) { slot = (slot + 1) & mask }
    return slot
  }

  private func holds(_ id: Int, _ token: some Collection<UInt8>) -> Bool {
    guard Int(lengths[id]) == token.count else { return false }
    var place = Int(starts[id])
    for byte in token {
      if arena[place] != byte { return false }
      place += 1
    }
    return true
  }

  private mutating func grow() {
    let old = slots
    slots = [Int32](repeating: -1, count: old.count * 2)
    for id in old where id >= 0 {
      if let bytes = bytes(of: Int(id)) { slots[slot(of: bytes)] = id }
    }
  }
}

extension Vocabulary {
  /// Reads the object `vocab` of a model: token → id.
  init(_ field: JSONField) throws(TokenizerProblem) {
    let document = field.document
    guard field.node.kind == .object else { throw .wrongValue(field: field.path, expected: "an object") }
    self.init(capacity: Int(field.node.next) / 2 - field.index / 2)
    var child = field.index + 1
    var scratch: [UInt8] = []
    while child < Int(field.node.next) {
      let name = document.nodes[child]
      guard let id = document.smallNumber(document.nodes[child + 1]), id <= Self.largestID else {
        throw .wrongValue(field: "\(field.path).\(try document.text(name))", expected: "a token id")
      }
      guard starts.count <= id || starts[id] < 0 else {
        throw .conflict(field: field.path, token: try document.text(name))
      }
      if name.kind == .string {
        insert(document.bytes[Int(name.start)..<Int(name.end)], id: id)
      } else {
        scratch.removeAll(keepingCapacity: true)
        try document.appendText(name, to: &scratch)
        insert(scratch, id: id)
      }
      child = Int(document.nodes[child + 1].next)
    }
  }
}

extension JSONDocument {
  /// A number node of one to nine digits and nothing else.
  func smallNumber(_ node: Node) -> Int? {
    guard node.kind == .number, node.end - node.start <= 9 else { return nil }
    var value = 0
    for byte in bytes[Int(node.start)..<Int(node.end)] {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    return value
  }
}
