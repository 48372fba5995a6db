// A small regular-expression engine: what the splitting patterns of tokenizers use, over scalars, by backtracking.
//
// The patterns come with the model, so recognising a list of known ones would refuse every new family. They need only
// sets, alternation, groups, greedy repetition and lookahead; the engines at hand read strings by grapheme, follow
// another version of Unicode, or bring megabytes of tables. Patterns on which backtracking takes too long are matched by
// `LinearMatcher`, so the time is proportional to the text whatever the pattern.

/// A compiled pattern.
struct Pattern: Sendable {
  enum Instruction: Sendable {
    /// One scalar of the set.
    case one(ScalarSet)
    /// At least `minimum` and at most `maximum` scalars of the set, as many as possible first.
    case many(ScalarSet, minimum: Int, maximum: Int)
    /// The same without giving any back.
    case possessive(ScalarSet, minimum: Int, maximum: Int)
    /// Goes on at `first`, and at `second` if that fails.
    case either(first: Int, second: Int)
    case jump(Int)
    /// The program from the next instruction to `end` must match here, or must not; nothing is consumed.
    case ahead(isNegative: Bool, end: Int)
    case accept
  }

  private let program: [Instruction]
  /// The same for `LinearMatcher`: runs that are given back are taken character by character.
  private let steppedProgram: [Instruction]

  /// The program for a parsed expression.
  init(_ expression: PatternExpression) {
    var program: [Instruction] = []
    expression.emit(into: &program)
    program.append(.accept)
    self.program = program
    var stepped: [Instruction] = []
    expression.emit(into: &stepped, stepwise: true)
    stepped.append(.accept)
    steppedProgram = stepped
  }

  /// Reads a pattern in the syntax of Oniguruma.
  /// - Throws: `TokenizerProblem.pattern` for what is outside the subset, with its place.
  init(_ text: String, field: String) throws(TokenizerProblem) {
    var parser = PatternParser(text, field: field)
    self.init(try parser.parse())
  }

  /// The non-empty matches from left to right, none overlapping.
  ///
  /// - Parameter usualSteps: how many steps backtracking may take before the matcher with memory goes on.
  func matches(in text: AlignedText, usualSteps: Int? = nil) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var matcher = Matcher(stepsLeft: usualSteps ?? Self.usualSteps(text))
    var linear: LinearMatcher?
    var start = text.startIndex
    while start < text.endIndex {
      var end: Int?
      if linear == nil { end = matcher.match(program, text, from: 0, at: start) }
      if matcher.stepsLeft < 0 {
        // The outcome of a matcher that ran out of steps counts for nothing.
        // Changed where it stands: a copy of its memory at every start would take time without bound again.
        if linear == nil { linear = LinearMatcher(steppedProgram, text) }
        end = linear?.match(at: start)
      }
      if let end, end > start {
        result.append(start..<end)
        start = end
      } else {
        start += 1
      }
    }
    return result
  }

  /// The end of the match that begins at `start`.
  func end(ofMatchIn text: AlignedText, at start: Int) -> Int? {
    var matcher = Matcher(stepsLeft: Self.usualSteps(text))
    let end = matcher.match(program, text, from: 0, at: start)
    guard matcher.stepsLeft < 0 else { return end }
    var linear = LinearMatcher(steppedProgram, text)
    return linear.match(at: start)
  }

  /// More steps than tokenizers' own patterns take.
  private static func usualSteps(_ text: AlignedText) -> Int { 4096 + 64 * text.count }
}

/// What backtracking must remember.
private struct Matcher {
  /// A point to return to: instruction `program` at position `high`, then `high - 1` … `low`.
  struct Choice {
    var instruction: Int
    var low: Int
    var high: Int
  }

  /// Steps that may yet be taken; below zero where they ran out, and then outcomes count for nothing.
  var stepsLeft: Int
  private var choices: [Choice] = []

  init(stepsLeft: Int) { self.stepsLeft = stepsLeft }

  mutating func match(
    _ program: [Pattern.Instruction], _ text: AlignedText, from entry: Int, at start: Int
  ) -> Int? {
    let floor = choices.count
    defer { choices.removeSubrange(floor...) }
    var instruction = entry
    var position = start
    while true {
      var isAlive = true
      stepsLeft -= 1
      guard stepsLeft >= 0 else { return nil }
      switch program[instruction] {
      case .one(let set):
        isAlive = position < text.endIndex && set.contains(text[position].value)
        position += 1
        instruction += 1
      case .many(let set, let minimum, let maximum):
        let end = run(of: set, in: text, from: position, atMost: maximum)
        isAlive = end - position >= minimum
        instruction += 1
        if end > position + minimum {
          choices.append(.init(instruction: instruction, low: position + minimum, high: end - 1))
        }
        position = end
      case .possessive(let set, let minimum, let maximum):
        let end = run(of: set, in: text, from: position, atMost: maximum)
        isAlive = end - position >= minimum
        instruction += 1
        position = end
      case .either(let first, let second):
        choices.append(.init(instruction: second, low: position, high: position))
        instruction = first
      case .jump(let target):
        instruction = target
      case .ahead(let isNegative, let end):
        let found = match(program, text, from: instruction + 1, at: position) != nil
        isAlive = found != isNegative
        instruction = end
      case .accept:
        return position
      }
      if !isAlive {
        guard choices.count > floor else { return nil }
        let last = choices.count - 1
        instruction = choices[last].instruction
        position = choices[last].high
        if choices[last].high > choices[last].low {
          choices[last].high -= 1
        } else {
          choices.removeLast()
        }
      }
    }
  }

  private mutating func run(of set: ScalarSet, in text: AlignedText, from start: Int, atMost maximum: Int)
    -> Int
  {
    var end = start
    let limit = maximum < text.endIndex - start ? start + maximum : text.endIndex
    while end < limit, set.contains(text[end].value) { end += 1 }
    stepsLeft -= end - start
    return end
  }
}
