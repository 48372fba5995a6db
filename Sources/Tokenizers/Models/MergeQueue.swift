// Doing the merges of one piece: a heap of possible merges over a linked list of tokens, n log n for n characters.

/// Merges neighbours, the smallest rank first and the leftmost of equal ones, until no merge applies.
func mergeAll(_ word: inout [PieceToken], with merges: MergeTable) {
  guard word.count > 1 else { return }
  var links = (0..<word.count).map { Link(previous: $0 - 1, next: $0 + 1) }
  var queue = MergeQueue()
  func push(_ left: Int) {
    let right = links[left].next
    guard left >= 0, right < word.count else { return }
    if let merge = merges[word[left].id, word[right].id] {
      queue.push(.init(key: UInt64(merge.rank) << 32 | UInt64(left), result: merge.result))
    }
  }
  for left in 0..<word.count - 1 { push(left) }
  while let candidate = queue.pop() {
    let left = Int(candidate.key & 0xFFFF_FFFF)
    let right = links[left].next
    // The pair this entry was made for may be gone: its left side swallowed, or either side grown.
    guard !links[left].isDead, right < word.count,
      merges[word[left].id, word[right].id]?.result == candidate.result
    else { continue }
    word[left].id = candidate.result
    word[left].end = word[right].end
    links[right].isDead = true
    links[left].next = links[right].next
    if links[left].next < word.count { links[links[left].next].previous = left }
    if links[left].previous >= 0 { push(links[left].previous) }
    push(left)
  }
  word = word.indices.filter { !links[$0].isDead }.map { word[$0] }
}

private struct Link {
  var previous: Int
  var next: Int
  var isDead = false
}

/// A binary heap with the smallest key on top.
private struct MergeQueue {
  struct Entry {
    /// Rank in the upper half, place of the left token in the lower.
    var key: UInt64
    var result: Int32
  }

  private var entries: [Entry] = []

  mutating func push(_ entry: Entry) {
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].key < entries[parent].key else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> Entry? {
    guard let top = entries.first else { return nil }
    let last = entries.removeLast()
    guard !entries.isEmpty else { return top }
    entries[0] = last
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < entries.count else { return top }
      if child + 1 < entries.count, entries[child + 1].key < entries[child].key { child += 1 }
      guard entries[child].key < entries[parent].key else { return top }
      entries.swapAt(child, parent)
      parent = child
    }
  }
}
