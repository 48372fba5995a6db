// Codes of heads for people: how much of the answer each carries, who uses it, and what it says.

import CausalMethods
import Tensors
import Transformers

/// One code of one head, in words and numbers.
public struct CodeCard: Hashable, Codable, Sendable {
  /// The layer.
  public var layer: Int
  /// The head within the layer.
  public var head: Int
  /// The code's number in the dictionary.
  public var code: Int
  /// The change of the metric through this code where the head is replaced, a mean over prompts.
  public var attribution: Double
  /// Its 95 % bootstrap interval over prompts.
  public var interval: ClosedRange<Double>
  /// Its share of the head's attribution by all codes.
  public var shareOfHead: Double
  /// The share of prompts on which the head shows the code at all.
  public var uses: Double
  /// The share of what replaces them on which it does.
  public var replacedUses: Double
  /// The prompt on which it counts most, by its place in the task's prompts.
  public var prompt: Int
  /// Where it counts most there, counted from the end: −1 is the last token, 0 the first of an answer behind it.
  public var position: Int
  /// The token there.
  public var token: Int
  /// The tokens whose logits its direction raises most, the most first.
  public var promotes: [Int]
  /// The tokens whose logits it lowers most, the most first.
  public var suppresses: [Int]
}

extension CodeAttribution {
  /// The largest codes of some heads.
  ///
  /// - Parameters:
  ///   - chosen: heads, over all layers.
  ///   - count: codes a head.
  ///   - tokens: how many tokens a code's direction is told by.
  /// - Throws: `CheckpointError` where the unembedding cannot be read.
  public func cards(
    _ model: Transformer, _ task: CausalTask, heads chosen: [Int], count: Int = 3, tokens: Int = 3,
    seed: UInt64
  ) throws -> [CodeCard] {
    let means = meanCodes
    let perLayer = model.configuration.heads
    var picked: [HeadCode] = []
    for head in chosen {
      let codes = (0..<features).filter { means[head * features + $0] != 0 }
        .sorted { abs(means[head * features + $0]) > abs(means[head * features + $1]) }
      picked += codes.prefix(count).map { HeadCode(head: head, code: $0) }
    }
    guard !picked.isEmpty else { return [] }
    let effects = try model.logitEffects(
      of: Tensor(
        picked.flatMap { dictionary.directions.row($0.code).values },
        shape: [picked.count, model.configuration.dModel]))
    let draws = PromptDraws(prompts: prompts, count: 1000, seed: seed)
    let intervals = draws.intervals(
      draws.means((0..<prompts).map { prompt in picked.map { Float(score(of: $0, prompt)) } }))
    return picked.enumerated().map { row, code in
      let place = code.head * features + code.code
      let total = (0..<features).reduce(0.0) { $0 + means[code.head * features + $1] }
      let strongest = strongest[place]
      let prompt = task.clean[strongest.prompt]
      let logits = effects.row(row).values
      let order = logits.indices.sorted { logits[$0] > logits[$1] }
      return CodeCard(
        layer: code.head / perLayer, head: code.head % perLayer, code: code.code, attribution: means[place],
        interval: intervals[row], shareOfHead: total == 0 ? 0 : means[place] / total,
        uses: Double(uses[place]) / Double(prompts),
        replacedUses: Double(replacedUses[place]) / Double(prompts),
        prompt: strongest.prompt, position: strongest.position - prompt.count,
        token: task.rowTokens(ofPrompt: strongest.prompt)[strongest.position],
        promotes: Array(order.prefix(tokens)),
        suppresses: Array(order.suffix(tokens).reversed()))
    }
  }

  private func score(of code: HeadCode, _ prompt: Int) -> Float {
    codes.withValues { $0[(prompt * heads + code.head) * features + code.code] }
  }
}

extension Transformer {
  /// What directions of the residual stream do to the logits directly, up to the final norm's scale: through its gain,
  /// centred where it centres, and the unembedding. `[directions, vocabulary]`.
  /// - Throws: `CheckpointError` where the unembedding cannot be read.
  public func logitEffects(of directions: Tensor) throws -> Tensor {
    var rows = directions
    if let kind = configuration.normalization, let norm = weights.finalNorm {
      let columns = rows.shape[1]
      let gain = norm.gain?.values
      let offset: Float = if case .rootMeanSquare(_, let offset) = kind { offset } else { 0 }
      let isCentred = if case .layer = kind { true } else { false }
      rows.withMutableValues { values in
        for start in stride(from: 0, to: values.count, by: columns) {
          var mean: Float = 0
          if isCentred {
            for column in 0..<columns { mean += values[start + column] / Float(columns) }
          }
          for column in 0..<columns {
            values[start + column] = (values[start + column] - mean) * ((gain?[column] ?? 1) + offset)
          }
        }
      }
    }
    var logits = Tensor(uninitialized: [rows.shape[0], weights.output.outputs])
    var output = weights.output
    output.bias = nil
    try output.apply(to: rows, into: &logits)
    return logits
  }
}
