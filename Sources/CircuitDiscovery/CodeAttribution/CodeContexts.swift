// Where codes are active: prompts with the activation at every token.

import CausalMethods
import Tensors
import Transformers

/// One code's activations along one prompt.
public struct CodeContext: Hashable, Sendable {
  /// The head and code.
  public var code: HeadCode
  /// The prompt, by its place in the task's prompts.
  public var prompt: Int
  /// The activation at each position.
  public var activations: [Float]
}

extension Transformer {
  /// The prompts on which codes are most active, a few for each code, the strongest first.
  ///
  /// - Parameters:
  ///   - prompts: the clean prompts that are looked at, by place.
  ///   - count: contexts kept for each code.
  /// - Throws: `TransformerError` for prompts the model cannot read.
  public func contexts(
    of codes: [HeadCode], in dictionary: CodeDictionary, _ task: CausalTask, prompts: [Int], count: Int = 3,
    tokenLimit: Int = 448
  ) throws -> [CodeContext] {
    let heads = configuration.heads
    let codesOf = Dictionary(grouping: Set(codes)) { $0.head / heads }
    let points = Set(codesOf.keys.map { HookPoint.z(layer: $0) })
    var found: [HeadCode: [CodeContext]] = [:]
    for group in TokenBatch.groups(of: prompts.map { task.clean[$0] }, tokenLimit: tokenLimit) {
      let (batch, width) = (group.batch, group.batch.width)
      try run(batch, observing: points) { point, value in
        guard let layer = point.layer, let own = codesOf[layer] else { return }
        let rows = batch.count * width
        let results = try weights.blocks[layer].attention.headResults(
          value.reshaped([rows, value.count / rows]), heads: heads)
        let active = dictionary.activations(
          of: results.reshaped([rows, heads, configuration.dModel]), firstHead: layer * heads)
        let features = dictionary.features
        active.withValues { active in
          for code in own {
            for (row, place) in group.indices.enumerated() {
              let activations = (0..<batch.lengths[row]).map { position in
                active[((row * width + position) * heads + code.head % heads) * features + code.code]
              }
              guard activations.contains(where: { $0 > 0 }) else { continue }
              found[code, default: []].append(
                CodeContext(code: code, prompt: prompts[place], activations: activations))
            }
          }
        }
      }
    }
    return codes.flatMap { code in
      (found[code] ?? []).sorted {
        ($1.activations.max() ?? 0, $0.prompt) < ($0.activations.max() ?? 0, $1.prompt)
      }.prefix(count)
    }
  }
}
