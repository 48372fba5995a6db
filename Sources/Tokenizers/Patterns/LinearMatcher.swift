// Matching in time proportional to the text, whatever the pattern: what has failed once is not tried again.
//
// The usual matcher is faster on the patterns that tokenizers have, and takes time without bound on others; it hands over
// to this one when it has taken too many steps. Whether the program can go on from an instruction at a place does not
// depend on how it came there, so a table of (instruction, place) remembers failures, for all starts alike, and successes
// of lookaheads. Source: the bit-state matcher of RE2, and Davis et al. 2021, "Using selective memoization".

/// A matcher with memory, for one text.
struct LinearMatcher {
  private let program: [Pattern.Instruction]
  private let text: AlignedText
  /// One byte for each instruction and place: not tried, failed, or (in lookaheads) succeeded.
  private var outcomes: [UInt8]
  /// The end of the last run found for each instruction that takes runs whole.
  private var runs: [Int: Range<Int>] = [:]

  private static let (failed, succeeded): (UInt8, UInt8) = (1, 2)

  /// - Parameter program: one without `.many`, which takes several characters at once.
  init(_ program: [Pattern.Instruction], _ text: AlignedText) {
    self.program = program
    self.text = text
    outcomes = [UInt8](repeating: 0, count: program.count * (text.count + 1))
  }

  /// A place to return to, and how much of the way there was.
  private struct Choice {
    var instruction: Int
    var position: Int
    var wayLength: Int
  }

  /// The end of the match that begins at `start`; nil where there is none.
  mutating func match(from entry: Int = 0, at start: Int, isAhead: Bool = false) -> Int? {
    var choices: [Choice] = []
    var way: [Int] = []
    var (instruction, position) = (entry, start)
    while true {
      let place = instruction * (text.count + 1) + position - text.startIndex
      var isAlive = outcomes[place] != Self.failed
      if isAlive, isAhead, outcomes[place] == Self.succeeded { return finish(way, position, isAhead: true) }
      if isAlive {
        outcomes[place] = Self.failed
        way.append(place)
        switch program[instruction] {
        case .one(let set):
          isAlive = position < text.endIndex && set.contains(text[position].value)
          position += 1
          instruction += 1
        case .many: preconditionFailure("a program that takes runs and gives them back")
        case .possessive(let set, let minimum, let maximum):
          let end = run(of: set, instruction, from: position, atMost: maximum)
          isAlive = end - position >= minimum
          instruction += 1
          position = end
        case .either(let first, let second):
          choices.append(Choice(instruction: second, position: position, wayLength: way.count))
          instruction = first
        case .jump(let target): instruction = target
        case .ahead(let isNegative, let end):
          let found = match(from: instruction + 1, at: position, isAhead: true) != nil
          isAlive = found != isNegative
          instruction = end
        case .accept: return finish(way, position, isAhead: isAhead)
        }
      }
      guard !isAlive else { continue }
      guard let choice = choices.popLast() else { return nil }
      // What came after the choice has failed for good.
      way.removeSubrange(choice.wayLength...)
      (instruction, position) = (choice.instruction, choice.position)
    }
  }

  /// Takes the way that led to a match out of the failures.
  private mutating func finish(_ way: [Int], _ position: Int, isAhead: Bool) -> Int {
    for place in way { outcomes[place] = isAhead ? Self.succeeded : 0 }
    return position
  }

  private mutating func run(
    of set: ScalarSet, _ instruction: Int, from start: Int, atMost maximum: Int
  ) -> Int {
    let limit = maximum < text.endIndex - start ? start + maximum : text.endIndex
    if let known = runs[instruction], known.contains(start) { return min(known.upperBound, limit) }
    var end = start
    while end < text.endIndex, set.contains(text[end].value) { end += 1 }
    runs[instruction] = start..<end
    return min(end, limit)
  }
}
