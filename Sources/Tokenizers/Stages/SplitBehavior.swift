// What becomes of the places that a splitter finds.

/// How found places and the text between them become pieces.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// The pieces of `text`, none empty, whose found places are `matches`; `isInverted` swaps found and not found.
  func pieces(of text: AlignedText, matches: [Range<Int>], isInverted: Bool = false) -> [AlignedText] {
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    var end = text.startIndex
    for match in matches {
      if end < match.lowerBound { parts.append((end..<match.lowerBound, isInverted)) }
      parts.append((match, !isInverted))
      end = match.upperBound
    }
    if end < text.endIndex { parts.append((end..<text.endIndex, isInverted)) }
    return arrange(parts).map { text[$0] }
  }

  private func arrange(_ parts: [(range: Range<Int>, isMatch: Bool)]) -> [Range<Int>] {
    switch self {
    case .removed: return parts.filter { !$0.isMatch }.map(\.range)
    case .isolated: return parts.map(\.range)
    case .contiguous:
      var result: [(range: Range<Int>, isMatch: Bool)] = []
      for part in parts {
        if let last = result.last, last.isMatch == part.isMatch {
          result[result.count - 1].range = last.range.lowerBound..<part.range.upperBound
        } else {
          result.append(part)
        }
      }
      return result.map(\.range)
    case .mergedWithPrevious:
      var result: [Range<Int>] = []
      var followsMatch = false
      for part in parts {
        if part.isMatch, !followsMatch, let last = result.popLast() {
          result.append(last.lowerBound..<part.range.upperBound)
        } else {
          result.append(part.range)
        }
        followsMatch = part.isMatch
      }
      return result
    case .mergedWithNext:
      var result: [Range<Int>] = []
      var precedesMatch = false
      for part in parts.reversed() {
        if part.isMatch, !precedesMatch, let last = result.popLast() {
          result.append(part.range.lowerBound..<last.upperBound)
        } else {
          result.append(part.range)
        }
        precedesMatch = part.isMatch
      }
      return result.reversed()
    }
  }
}
