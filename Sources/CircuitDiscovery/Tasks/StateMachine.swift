// Random walks on a state machine whose states are written in digits (Tamkin, Taufeeque & Goodman 2023, section 4).

import Tensors

/// A state machine with as many transitions from every state, drawn from a seed, and the walks on it.
public struct StateMachineSource: Equatable, Sendable {
  /// Number of states.
  public var states: Int
  /// States that may follow a state, all equally likely.
  public var edges: Int
  /// States of a walk.
  public var walk: ClosedRange<Int>
  /// Seed of the transitions; walks have the seed of the prompts.
  public var seed: UInt64

  /// A machine.
  public init(states: Int = 100, edges: Int = 10, walk: ClosedRange<Int> = 64...64, seed: UInt64 = 42) {
    self.states = states
    self.edges = edges
    self.walk = walk
    self.seed = seed
  }

  /// Digits of a state's name.
  public var digits: Int { String(max(1, states - 1)).count }

  /// The machine, with its transitions.
  public var machine: StateMachine { StateMachine(self) }
}

/// States and what may follow them.
public struct StateMachine: Equatable, Sendable {
  /// What it is made from.
  public let source: StateMachineSource
  /// The states that may follow each state, in ascending order.
  public let successors: [[Int]]

  /// Draws the transitions.
  public init(_ source: StateMachineSource) {
    self.source = source
    var generator = SeededGenerator(seed: source.seed, stream: "state machine")
    successors = (0..<source.states).map { _ in
      generator.permutation(of: source.states).prefix(source.edges).sorted()
    }
  }

  /// The digits of a state's name.
  public func name(of state: Int) -> [String] {
    let text = String(state)
    return (String(repeating: "0", count: max(0, source.digits - text.count)) + text).map { String($0) }
  }

  /// The state of some digits; nil where there is none.
  public func state(named digits: [String]) -> Int? {
    guard digits.count == source.digits, let state = Int(digits.joined()), (0..<source.states).contains(state)
    else { return nil }
    return state
  }

  /// The first digits of the states that may follow.
  public func firstDigits(after state: Int) -> Set<String> {
    Set(successors[state].map { name(of: $0)[0] })
  }

  /// A walk of `count` states from a random one.
  public func walk(_ count: Int, using generator: inout SeededGenerator) -> [Int] {
    var walk = [generator.index(below: source.states)]
    while walk.count < count {
      let next = successors[walk[walk.count - 1]]
      walk.append(next[generator.index(below: next.count)])
    }
    return walk
  }
}

extension StateMachineSource {
  init(_ field: FieldReader) throws(TaskError) {
    try field.allowOnly(["states", "edges", "walk", "seed"])
    self.init()
    if let member = field.member("states") {
      states = try member.integer()
      guard (3...100_000).contains(states) else { throw member.error("from 3 to 100,000 states are needed") }
    }
    if let member = field.member("edges") { edges = try member.integer() }
    guard (2..<states).contains(edges) else {
      throw field.error("edges must be at least 2 and fewer than the \(states) states, not \(edges)")
    }
    if let member = field.member("walk") {
      walk = try member.range()
      guard (2...4096).contains(walk.lowerBound), walk.upperBound <= 4096 else {
        throw member.error("walks have from 2 to 4,096 states")
      }
    }
    if let member = field.member("seed") {
      seed = UInt64(clamping: try member.integer())
    }
  }

  /// The number of walks.
  var possiblePrompts: Double {
    walk.reduce(0) { sum, count in
      sum + (1..<count).reduce(Double(states)) { ways, _ in ways * Double(edges) }
    }
  }
}

/// Draws walks; the answer is the first digit of any state that may come next. The negative is the same walk with
/// another last state, so that other digits are right.
struct WalkGenerator {
  let machine: StateMachine

  init(
    task: String, _ source: StateMachineSource, tokenizer: (any PromptTokenizer)?
  ) throws(TaskError) {
    machine = source.machine
    guard let tokenizer else { throw .needsTokenizer(task: task) }
    let dropped = (0..<10).map(String.init).filter {
      !tokenizer.isOneToken(" " + $0) || !tokenizer.isOneToken($0)
    }
    guard dropped.isEmpty else {
      throw .tooFewWords(
        task: task, list: "digits", kept: 10 - dropped.count, needed: 10, dropped: dropped,
        tokenizer: tokenizer.label)
    }
  }

  /// A walk and its negative.
  func pair(number: Int, using generator: inout SeededGenerator) -> TemplateGenerator.Pair {
    let range = machine.source.walk
    var tries = 0
    while true {
      let count = range.lowerBound + generator.index(below: range.count)
      let walk = machine.walk(count, using: &generator)
      let siblings = machine.successors[walk[count - 2]].filter { $0 != walk[count - 1] }
      let other = siblings[generator.index(below: siblings.count)]
      let (right, wrong) = (
        machine.firstDigits(after: walk[count - 1]), machine.firstDigits(after: other)
      )
      tries += 1
      // A negative whose right digits are all right here too says nothing.
      guard !wrong.isSubset(of: right) || tries > 1000 else { continue }
      let digits = machine.source.digits
      let positions = ["state_start": (count - 1) * digits, "state_end": count * digits - 1]
      return TemplateGenerator.Pair(
        positive: Prompt(
          content(walk), isPositive: true, answers: continuations(right),
          wrong: continuations(wrong.subtracting(right)), pair: number, positions: positions),
        negative: Prompt(
          content(walk.dropLast() + [other]), isPositive: false, answers: continuations(wrong),
          wrong: continuations(right.subtracting(wrong)), pair: number, positions: positions))
    }
  }

  private func content(_ walk: [Int]) -> Prompt.Content {
    .text(walk.flatMap(machine.name).joined(separator: " "))
  }

  private func continuations(_ digits: Set<String>) -> [Prompt.Continuation] {
    digits.sorted().map { .text(" " + $0) }
  }
}
