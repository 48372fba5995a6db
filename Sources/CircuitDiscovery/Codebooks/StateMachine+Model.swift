// What a model knows of a state machine: transition accuracy, states by position, and states set by a code
// (Tamkin, Taufeeque & Goodman 2023, section 4).

import Tensors
import Transformers

/// A state machine with the token of each digit.
public struct TokenizedStateMachine: Sendable {
  /// The machine.
  public let machine: StateMachine
  private let tokens: [Int]
  private let states: [Int: Int]
  /// The token that begins a text; nil where texts have none.
  public let beginning: Int?

  /// - Parameters:
  ///   - tokens: the tokens of the digits 0 to 9.
  ///   - beginning: the token that begins a text.
  public init(_ machine: StateMachine, tokens: [Int], beginning: Int?) {
    self.machine = machine
    self.tokens = tokens
    self.beginning = beginning
    states = Dictionary(tokens.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The tokens of a walk.
  public func tokens(of walk: [Int]) -> [Int] {
    (beginning.map { [$0] } ?? []) + walk.flatMap(stateTokens)
  }

  /// The tokens of a state's name.
  public func stateTokens(_ state: Int) -> [Int] {
    machine.name(of: state).compactMap { Int($0).map { tokens[$0] } }
  }

  /// Walks drawn from a seed.
  public func walks(_ count: Int, length: Int, seed: UInt64) -> [[Int]] {
    var generator = SeededGenerator(seed: seed, stream: "walks")
    return (0..<count).map { _ in machine.walk(length, using: &generator) }
  }

  /// Each state at the positions where its name ends, in walks of one length; the first state of a walk, of which a
  /// model without its position in mind knows least, counts as any other.
  public func labels(of walks: [[Int]]) -> PositionLabels {
    var positions = [[Int]](repeating: [], count: machine.source.states)
    var start = 0
    for walk in walks {
      let first = start + (beginning == nil ? 0 : 1)
      for (index, state) in walk.enumerated() {
        positions[state].append(first + (index + 1) * machine.source.digits - 1)
      }
      start = first + walk.count * machine.source.digits
    }
    var labels = PositionLabels()
    for state in 0..<machine.source.states {
      labels.add("state " + machine.name(of: state).joined(), at: positions[state])
    }
    return labels
  }
}

extension TokenizedStateMachine {
  /// For every walk the probability of each next state `[walk][state]`: that of its first digit, times that of each
  /// further digit behind the ones before.
  ///
  /// - Parameter walks: walks of one length.
  /// - Throws: `TransformerError` for walks that the model cannot run.
  public func nextStates(after walks: [[Int]], _ model: Transformer) throws -> [[Double]] {
    // Names by all but their last digit.
    let beginnings = Dictionary(grouping: 0..<machine.source.states) { Array(stateTokens($0).dropLast()) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    var scores: [[Double]] = []
    for first in stride(from: 0, to: walks.count, by: Self.walksTogether) {
      let part = walks[first..<min(walks.count, first + Self.walksTogether)]
      let starts = part.map { tokens(of: $0) }
      let prompts = starts.flatMap { start in beginnings.map { start + $0.key } }
      let positions = starts.flatMap { start in
        beginnings.map { Array(start.count - 1..<start.count + $0.key.count) }
      }
      let logits = try model.logits(TokenBatch(prompts), at: positions)
      var row = 0
      for _ in part {
        scores.append(nextStates(beginnings, logits, &row))
      }
    }
    return scores
  }

  private static let walksTogether = 16

  /// The probability of each state, from the logits behind every beginning of a name.
  private func nextStates(
    _ beginnings: [(key: [Int], value: [Int])], _ logits: Tensor, _ row: inout Int
  ) -> [Double] {
    var scores = [Double](repeating: 0, count: machine.source.states)
    for beginning in beginnings {
      var shared = 0.0
      for token in beginning.key {
        shared += logSoftmax(logits.row(row))[token]
        row += 1
      }
      let last = logSoftmax(logits.row(row))
      row += 1
      for state in beginning.value {
        if let token = stateTokens(state).last { scores[state] = exponential(shared + last[token]) }
      }
    }
    return scores
  }

  /// Of the `edges` most likely next states, the share that may follow `state`.
  public func transitionAccuracy(_ probabilities: [Double], after state: Int) -> Double {
    let order = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
    let likely = order.prefix(machine.source.edges)
    return Double(likely.count(where: machine.successors[state].contains)) / Double(machine.source.edges)
  }

  /// The mean transition accuracy of walks.
  public func transitionAccuracy(of walks: [[Int]], _ model: Transformer) throws -> [Double] {
    try zip(walks, nextStates(after: walks, model)).map { walk, probabilities in
      walk.last.map { transitionAccuracy(probabilities, after: $0) } ?? 0
    }
  }
}
