// What a stage looks for: a literal text or a pattern.

import Files

/// The value of a field `pattern`: `{"String": …}` or `{"Regex": …}`.
enum TextFinder: Sendable {
  case literal([UInt32])
  case pattern(Pattern)

  init(_ field: JSONField) throws(TokenizerProblem) {
    if let literal = try field.member("String") {
      self = .literal(try literal.string().scalarValues)
    } else {
      let text = try field.required("Regex")
      self = .pattern(try Pattern(text.string(), field: text.path))
    }
  }

  /// The places from left to right, none empty, none overlapping.
  func matches(in text: AlignedText) -> [Range<Int>] {
    switch self {
    case .pattern(let pattern): return pattern.matches(in: text)
    case .literal(let literal):
      guard let first = literal.first else { return [] }
      var result: [Range<Int>] = []
      var start = text.startIndex
      while start + literal.count <= text.endIndex {
        if text[start].value == first, text[start...].begins(with: literal) {
          result.append(start..<start + literal.count)
          start += literal.count
        } else {
          start += 1
        }
      }
      return result
    }
  }
}
