// What forcing a code does to the next token.

import Tensors
import Transformers

/// The effect of one code, forced at the last position of some prompts.
public struct CodeEffect: Sendable, Equatable {
  /// The code.
  public var code: CodeAddress
  /// Mean over prompts of the Kullback–Leibler divergence of the next token's distribution without the code from that
  /// with it, in nats.
  public var divergence: Double
  /// The token whose mean probability rises most, and by how much.
  public var raised: (token: Int, change: Double)
  /// The token whose mean probability falls most, and by how much.
  public var lowered: (token: Int, change: Double)

  /// Whether two effects are the same.
  public static func == (a: Self, b: Self) -> Bool {
    a.code == b.code && a.divergence == b.divergence && a.raised == b.raised && a.lowered == b.lowered
  }
}

/// Measures the effect of codes on the next token of prompts.
///
/// - Parameters:
///   - codes: which codes, each forced alone at the last position.
///   - prompts: token ids.
///   - progress: called with the number of codes that are done.
/// - Throws: `TransformerError` for prompts that the model cannot run.
public func codeEffects(
  of codes: [CodeAddress], on prompts: [[Int]], _ model: Transformer, progress: (Int) -> Void = { _ in }
) throws -> [CodeEffect] {
  let plain = try model.nextTokenLogits(TokenBatch(prompts))
  let before = prompts.indices.map { logSoftmax(plain.row($0)) }
  let batch = TokenBatch(prompts)
  let last = prompts.map { $0.count - 1 }
  return try codes.enumerated().map { index, code in
    let logits = try model.nextTokenLogits(batch, applying: ForcedCodes([code]).edits(at: last))
    var changes = [Double](repeating: 0, count: before.first?.count ?? 0)
    var divergence = 0.0
    for prompt in prompts.indices {
      let after = logSoftmax(logits.row(prompt))
      for token in changes.indices {
        let probability = exponential(before[prompt][token])
        changes[token] += exponential(after[token]) - probability
        if probability > 0 { divergence += probability * (before[prompt][token] - after[token]) }
      }
    }
    let count = Double(max(1, prompts.count))
    let order = changes.indices.sorted { (changes[$1], $0) < (changes[$0], $1) }
    let (top, bottom) = (order.first ?? 0, order.last ?? 0)
    progress(index + 1)
    return CodeEffect(
      code: code, divergence: max(0, divergence / count), raised: (top, changes[top] / count),
      lowered: (bottom, changes[bottom] / count))
  }
}
