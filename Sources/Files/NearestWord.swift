// Suggestions for mistyped words.

/// The candidate with the smallest edit distance to `word`, if it is near enough to be meant.
public func nearestWord(to word: String, among candidates: [String]) -> String? {
  let ranked = candidates.map { (distance: editDistance(word.lowercased(), $0.lowercased()), candidate: $0) }
  guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(2, word.count / 3) ? best.candidate : nil
}

/// Damerau–Levenshtein distance (adjacent transpositions count one), in characters.
public func editDistance(_ left: String, _ right: String) -> Int {
  let (a, b) = (Array(left), Array(right))
  var beforeLast = [Int](repeating: 0, count: b.count + 1)
  var last = Array(0...b.count)
  for i in 0..<a.count {
    var current = [i + 1] + [Int](repeating: 0, count: b.count)
    for j in 0..<b.count {
      current[j + 1] = min(last[j + 1] + 1, current[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        current[j + 1] = min(current[j + 1], beforeLast[j - 1] + 1)
      }
    }
    (beforeLast, last) = (last, current)
  }
  return last[b.count]
}
