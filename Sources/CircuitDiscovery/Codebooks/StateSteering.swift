// States of a machine that are set by forcing codes (Tamkin, Taufeeque & Goodman 2023, section 4.3).

import Tensors
import Transformers

/// Which of a state's codes are forced.
public enum ForcedPart: Hashable, Sendable, CustomStringConvertible {
  /// None: what chance gives.
  case none
  /// The one code that tells the state best.
  case bestCode
  /// The codes of one layer's MLP.
  case mlp(layer: Int)
  /// The codes of all MLPs.
  case allMLPs
  /// The codes of all heads.
  case allHeads
  /// All codes.
  case all

  /// `none`, `best code`, `2.mlp`, `all MLPs`, `all heads` or `all`.
  public var description: String {
    switch self {
    case .none: "none"
    case .bestCode: "best code"
    case .mlp(let layer): "\(layer).mlp"
    case .allMLPs: "all MLPs"
    case .allHeads: "all heads"
    case .all: "all"
    }
  }

  /// The parts of a model that has codebooks where `configuration` says.
  public static func all(of configuration: TransformerConfiguration) -> [ForcedPart] {
    let (heads, mlps) = (
      configuration.codebookShape(.heads) != nil, configuration.codebookShape(.mlp) != nil
    )
    return [.none, .bestCode] + (mlps ? (0..<configuration.layers).map { .mlp(layer: $0) } + [.allMLPs] : [])
      + (heads ? [.allHeads] : []) + (heads && mlps ? [.all] : [])
  }

  func contains(_ book: CodebookAddress) -> Bool {
    switch self {
    case .none, .bestCode: false
    case .mlp(let layer): book.layer == layer && book.head == nil
    case .allMLPs: book.head == nil
    case .allHeads: book.head != nil
    case .all: true
    }
  }
}

/// What setting one state does.
public struct StateSteering: Sendable, Equatable {
  /// The state that is set.
  public var state: Int
  /// Which of its codes are forced.
  public var part: ForcedPart
  /// The code, where it is one.
  public var code: CodeAddress?
  /// Walks that end in other states, at whose last position codes are forced.
  public var walks: Int
  /// The share of walks whose most likely next state may follow the state that is set.
  public var success: Double
  /// Of the most likely next states, as many as there are edges, the mean share that may follow the state that is set.
  public var transitionAccuracy: Double
  /// The mean Jensen–Shannon divergence, in nats, of the next states' distribution from that after the state itself.
  public var divergence: Double
}

extension TokenizedStateMachine {
  /// The codes that are active at the end of a state's name alone.
  /// - Throws: `TransformerError` where the model cannot run it.
  public func codes(of state: Int, _ model: Transformer) throws -> ForcedCodes {
    let trace = try CodeTrace(model, [tokens(of: [state])])
    return ForcedCodes(
      Dictionary(
        uniqueKeysWithValues: trace.books.indices.map { book in
          (trace.books[book], trace.numbers(book: book, at: trace.positions - 1).map { Int($0) })
        }))
  }

  /// Sets states at the end of walks that end in others.
  ///
  /// - Parameters:
  ///   - best: the code that tells each state best, where there is one.
  ///   - walks: walks of one length.
  ///   - progress: called with the number of states that are done.
  /// - Throws: `TransformerError` for walks that the model cannot run.
  public func steer(
    best: [Int: CodeAddress], walks: [[Int]], _ model: Transformer, progress: (Int) -> Void = { _ in }
  ) throws -> [StateSteering] {
    let plain = try nextStates(after: walks, model)
    let parts = ForcedPart.all(of: model.configuration)
    return try (0..<machine.source.states).flatMap { state in
      defer { progress(state + 1) }
      let own = try nextStates(after: [[state]], model)[0]
      let codes = try codes(of: state, model)
      let others = walks.indices.filter { walks[$0].last != state }
      return try parts.compactMap { part -> StateSteering? in
        var forced = ForcedCodes(codes.numbers.filter { part.contains($0.key) })
        if part == .bestCode {
          guard let code = best[state] else { return nil }
          forced = ForcedCodes([code])
        }
        return try steer(
          state, part, forced, own: own, others.map { walks[$0] }, others.map { plain[$0] }, model)
      }
    }
  }

  private func steer(
    _ state: Int, _ part: ForcedPart, _ forced: ForcedCodes, own: [Double], _ walks: [[Int]],
    _ plain: [[Double]], _ model: Transformer
  ) throws -> StateSteering {
    let position = (walks.first.map { tokens(of: $0).count } ?? 1) - 1
    let next =
      part == .none
      ? plain
      : try nextStates(after: walks, model) { rows in
        forced.edits(at: [Int](repeating: position, count: rows))
      }
    let right = machine.successors[state]
    let count = Double(max(1, walks.count))
    let hits = next.count { probabilities in
      probabilities.indices.max { (probabilities[$0], $1) < (probabilities[$1], $0) }
        .map(right.contains) ?? false
    }
    let code = part == .bestCode ? forced.numbers.first : nil
    return StateSteering(
      state: state, part: part, code: code.map { CodeAddress(book: $0.key, number: $0.value[0]) },
      walks: walks.count, success: Double(hits) / count,
      transitionAccuracy: next.reduce(0) { $0 + transitionAccuracy($1, after: state) } / count,
      divergence: next.reduce(0) { $0 + jensenShannon($1, own) } / count)
  }
}

/// The Jensen–Shannon divergence of two distributions, in nats.
func jensenShannon(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { sum, pair in
    let mean = (pair.0 + pair.1) / 2
    let own = [pair.0, pair.1].reduce(0) { $1 > 0 ? $0 + $1 * (logarithm($1) - logarithm(mean)) : $0 }
    return sum + own / 2
  }
}
