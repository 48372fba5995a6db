// Rewriting text character by character while keeping track of where each came from.

/// One scalar of a rewritten text, and what it does to the old one.
struct ScalarChange: Sendable {
  var value: UInt32
  /// 0 replaces the next old scalar; 1 is added beside the one before; −n replaces the next and swallows n more.
  var change: Int
}

extension ArraySlice<AlignedScalar> {
  /// The text after `changes`, each scalar standing for what it replaced, or for its neighbour where it was added.
  func transformed(_ changes: [ScalarChange]) -> AlignedText {
    var place = startIndex
    var result: [AlignedScalar] = []
    result.reserveCapacity(changes.count)
    for change in changes {
      let source = change.change > 0 ? place - 1 : place
      let origin = indices.contains(source) ? self[source] : AlignedScalar(value: 0, start: 0, end: 0)
      result.append(.init(value: change.value, start: origin.start, end: origin.end))
      if change.change <= 0 { place += 1 - change.change }
    }
    return result[...]
  }
}
