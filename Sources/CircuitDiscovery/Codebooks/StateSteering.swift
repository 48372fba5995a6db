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
  /// The share of walks behind which the next digit's distribution is nearer to that behind the state that is set, read
  /// alone, than to that behind the state that the walk ends in (by Jensen–Shannon divergence).
  public var success: Double
  /// The share where it is nearer to that behind the state that is set than to any other state's.
  public var nearestOfAll: Double
  /// The mean probability of the digits that a successor of the state begins with.
  public var validProbability: Double
  /// The mean Jensen–Shannon divergence, in nats, of the next digit's distribution from that behind the state itself.
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

  /// Sets states at the end of walks that end in others, and reads the next digit.
  ///
  /// - Parameters:
  ///   - best: the code that tells each state best, where there is one.
  ///   - walks: walks of one length.
  ///   - progress: called with the number of states that are done.
  /// - Throws: `TransformerError` for walks that the model cannot run.
  public func steer(
    best: [Int: CodeAddress], walks: [[Int]], _ model: Transformer, progress: (Int) -> Void = { _ in }
  ) throws -> [StateSteering] {
    let plain = try nextTokens(after: walks, model)
    let own = try nextTokens(after: (0..<machine.source.states).map { [$0] }, model)
    let parts = ForcedPart.all(of: model.configuration)
    return try own.indices.flatMap { state in
      defer { progress(state + 1) }
      let codes = try codes(of: state, model)
      let others = walks.indices.filter { walks[$0].last != state }
      return try parts.compactMap { part -> StateSteering? in
        var forced = ForcedCodes(codes.numbers.filter { part.contains($0.key) })
        if part == .bestCode {
          guard let code = best[state] else { return nil }
          forced = ForcedCodes([code])
        }
        let next =
          part == .none
          ? others.map { plain[$0] } : try nextTokens(after: others.map { walks[$0] }, forcing: forced, model)
        let code = part == .bestCode ? best[state] : nil
        return steering(of: state, part, code, own: own, others.map { walks[$0].last ?? 0 }, next)
      }
    }
  }

  /// The distribution of the next token behind walks of one length, `[walk][token]`.
  private func nextTokens(
    after walks: [[Int]], forcing codes: ForcedCodes? = nil, _ model: Transformer
  ) throws -> [[Double]] {
    let prompts = walks.map { tokens(of: $0) }
    return try stride(from: 0, to: prompts.count, by: Self.walksTogether).flatMap { first in
      let part = Array(prompts[first..<min(prompts.count, first + Self.walksTogether)])
      let edits = codes?.edits(at: part.map { $0.count - 1 }) ?? [:]
      let logits = try model.nextTokenLogits(TokenBatch(part), applying: edits)
      return part.indices.map { logSoftmax(logits.row($0)).map(exponential) }
    }
  }

  private static let walksTogether = 128

  private func steering(
    of state: Int, _ part: ForcedPart, _ code: CodeAddress?, own: [[Double]], _ ends: [Int],
    _ next: [[Double]]
  ) -> StateSteering {
    let count = Double(max(1, next.count))
    let valid = Set(machine.successors[state].compactMap { stateTokens($0).first })
    let distances = next.map { probabilities in own.map { jensenShannon(probabilities, $0) } }
    let moved = zip(distances, ends).count { $0[state] < $0[$1] }
    let nearest = distances.count { $0[state] <= ($0.min() ?? 0) + Self.sameDistribution }
    return StateSteering(
      state: state, part: part, code: code, walks: next.count, success: Double(moved) / count,
      nearestOfAll: Double(nearest) / count,
      validProbability: next.reduce(0) { sum, probabilities in
        sum + valid.reduce(0) { $0 + probabilities[$1] }
      } / count,
      divergence: distances.reduce(0) { $0 + $1[state] } / count)
  }

  /// Divergences that differ by less are rounding's.
  private static let sameDistribution = 1e-9
}

/// The Jensen–Shannon divergence of two distributions, in nats.
func jensenShannon(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { sum, pair in
    let mean = (pair.0 + pair.1) / 2
    let own = [pair.0, pair.1].reduce(0) { $1 > 0 ? $0 + $1 * (logarithm($1) - logarithm(mean)) : $0 }
    return sum + own / 2
  }
}
