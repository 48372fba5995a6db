// Reading a pattern's text; anything outside the subset is refused with its place.

struct PatternParser {
  private let text: [Unicode.Scalar]
  private let whole: String
  private let field: String
  private var offset = 0
  private var depth = 0
  private var ignoresCase = false

  /// Groups deeper than this, and counts larger than `largestCount`, are refused: both cost memory.
  private static let deepest = 32
  private static let largestCount = 100

  init(_ text: String, field: String) {
    whole = text
    self.text = Array(text.unicodeScalars)
    self.field = field
  }

  mutating func parse() throws(TokenizerProblem) -> PatternExpression {
    let expression = try parseChoice()
    guard offset == text.count else { throw problem("an unmatched ')'") }
    return expression
  }

  private func problem(_ text: String) -> TokenizerProblem {
    .pattern(field: field, pattern: whole, offset: offset, problem: text)
  }

  private var next: Unicode.Scalar? { offset < text.count ? text[offset] : nil }

  private mutating func take(_ expected: String) -> Bool {
    let scalars = Array(expected.unicodeScalars)
    guard text[offset...].starts(with: scalars) else { return false }
    offset += scalars.count
    return true
  }

  private mutating func parseChoice() throws(TokenizerProblem) -> PatternExpression {
    var parts = [try parseSequence()]
    while take("|") { parts.append(try parseSequence()) }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func parseSequence() throws(TokenizerProblem) -> PatternExpression {
    var parts: [PatternExpression] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let atom = try parseAtom()
      parts.append(try parseRepetition(of: atom))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func parseAtom() throws(TokenizerProblem) -> PatternExpression {
    guard let scalar = next else { throw problem("the end of the pattern") }
    switch scalar {
    case "(": return try parseGroup()
    case "[": return .set(try parseBrackets())
    case "\\": return .set(ScalarSet([try parseEscape()]))
    case ".", "^", "$", "*", "+", "?", "{": throw problem("'\(scalar)' here is not supported")
    default:
      offset += 1
      return .set(ScalarSet(folded(scalar.value...scalar.value)))
    }
  }

  private mutating func parseGroup() throws(TokenizerProblem) -> PatternExpression {
    guard depth < Self.deepest else { throw problem("groups nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    let outer = ignoresCase
    defer { ignoresCase = outer }
    var ahead: Bool?
    if take("(?i:") {
      ignoresCase = true
    } else if take("(?!") {
      ahead = true
    } else if take("(?=") {
      ahead = false
    } else if !take("(?:") {
      _ = take("(")
      if next == "?" { throw problem("this kind of group is not supported") }
    }
    let inside = try parseChoice()
    guard take(")") else { throw problem("a missing ')'") }
    return ahead.map { .ahead(inside, isNegative: $0) } ?? inside
  }

  private mutating func parseRepetition(of atom: PatternExpression) throws(TokenizerProblem)
    -> PatternExpression
  {
    var counts: (minimum: Int, maximum: Int)
    if take("?") {
      counts = (0, 1)
    } else if take("*") {
      counts = (0, .max)
    } else if take("+") {
      counts = (1, .max)
    } else if next == "{" {
      counts = try parseCounts()
    } else {
      return atom
    }
    if next == "?" || next == "*" { throw problem("'\(text[offset])' after a repetition is not supported") }
    let isPossessive = take("+")
    guard !atom.isNullable else { throw problem("a repetition of something that can be empty") }
    if isPossessive {
      guard case .set = atom else { throw problem("a possessive repetition of a group") }
    }
    return .repetition(atom, minimum: counts.minimum, maximum: counts.maximum, isPossessive: isPossessive)
  }

  private mutating func parseCounts() throws(TokenizerProblem) -> (minimum: Int, maximum: Int) {
    offset += 1
    let minimum = try parseNumber()
    var maximum = minimum
    if take(",") { maximum = next == "}" ? .max : try parseNumber() }
    guard take("}"), minimum <= maximum else { throw problem("a repetition count that cannot be read") }
    guard next != "+" else { throw problem("'+' after a repetition count is not supported") }
    return (minimum, maximum)
  }

  private mutating func parseNumber() throws(TokenizerProblem) -> Int {
    var value = 0
    let start = offset
    while let scalar = next, ("0"..."9").contains(scalar), value <= Self.largestCount {
      value = value * 10 + Int(scalar.value - 48)
      offset += 1
    }
    guard offset > start, value <= Self.largestCount else {
      throw problem("a repetition count from 0 to \(Self.largestCount) is needed")
    }
    return value
  }

  private mutating func parseBrackets() throws(TokenizerProblem) -> ScalarSet {
    offset += 1
    let isNegated = take("^")
    var terms: [ScalarSet.Term] = []
    while !take("]") {
      guard let scalar = next else { throw problem("a missing ']'") }
      if scalar == "[" || text[offset...].starts(with: ["&", "&"]) {
        throw problem("nested sets are not supported")
      }
      let term = try parseMember()
      guard case .range(let first) = term, next == "-", offset + 1 < text.count, text[offset + 1] != "]"
      else {
        if case .range(let range) = term { terms += folded(range) } else { terms.append(term) }
        continue
      }
      offset += 1
      guard case .range(let last) = try parseMember(), first.lowerBound <= last.upperBound else {
        throw problem("a range that cannot be read")
      }
      terms += folded(first.lowerBound...last.upperBound)
    }
    return ScalarSet(terms, isNegated: isNegated)
  }

  private mutating func parseMember() throws(TokenizerProblem) -> ScalarSet.Term {
    guard let scalar = next else { throw problem("a missing ']'") }
    if scalar == "\\" { return try parseEscape() }
    offset += 1
    return .range(scalar.value...scalar.value)
  }

  private mutating func parseEscape() throws(TokenizerProblem) -> ScalarSet.Term {
    offset += 1
    guard let scalar = next else { throw problem("a '\\' at the end") }
    offset += 1
    switch scalar {
    case "s": return .blank
    case "S": return .not(.blank)
    case "w": return .word
    case "W": return .not(.word)
    case "d", "D":
      guard let digits = ScalarSet.categories(named: "Nd") else { return .blank }
      return scalar == "d" ? digits : .not(digits)
    case "n": return .range(10...10)
    case "r": return .range(13...13)
    case "t": return .range(9...9)
    case "p", "P": return try parseProperty(isNegated: scalar == "P")
    default:
      let isAlphanumeric = scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
      guard !isAlphanumeric else { throw problem("'\\\(scalar)' is not supported") }
      return .range(scalar.value...scalar.value)
    }
  }

  private mutating func parseProperty(isNegated: Bool) throws(TokenizerProblem) -> ScalarSet.Term {
    guard take("{") else { throw problem("'{' is needed after \\p") }
    let isInverted = take("^")
    let name = String(String.UnicodeScalarView(text[offset...].prefix { $0 != "}" }))
    guard let term = ScalarSet.categories(named: name) else {
      throw problem("\\p{\(name)} is not a general category")
    }
    offset += name.unicodeScalars.count
    guard take("}") else { throw problem("a missing '}'") }
    return isNegated != isInverted ? .not(term) : term
  }

  /// A range together with the letters that differ from it only in case, where the pattern ignores case.
  private func folded(_ range: ClosedRange<UInt32>) -> [ScalarSet.Term] {
    guard ignoresCase else { return [.range(range)] }
    var terms: [ScalarSet.Term] = [.range(range)]
    for upper in UInt32(65)...90 {
      let lower = upper + 32
      let others: [UInt32] = upper == 83 ? [0x17F] : upper == 75 ? [0x212A] : []
      let family = [upper, lower] + others
      if family.contains(where: range.contains) { terms += family.map { .range($0...$0) } }
    }
    return terms
  }
}
