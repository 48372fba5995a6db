// AtP*: attribution patching with the attention pattern computed anew for patched queries and keys, and with gradients
// dropped layer by layer.

import Tensors
import Transformers

/// Heads by what their queries, keys and values carry: for each of the three, put to the pair's, the head's own mix z is
/// computed exactly (QK fix: the softmax is no gradient's business) and its change multiplied with ∂metric/∂z; a head's
/// score is the sum of the three. The gradient drops one layer's outputs in turn (GradDrop), and scores are the mean over
/// layers of |score|. MLPs and the input are scored as by `atp-graddrop` (Kramár et al. 2024, arXiv 2403.00745, sections
/// 3.1 and 3.2; queries and keys of all positions are put to the pair's together).
public struct AttributionPatchingStar: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "atp-star"
  /// What it scores, in a few words.
  public static let summary =
    "AtP*: nodes, heads by their queries, keys and values with the softmax recomputed"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back for each layer, 3 layers' attention for each layer, 1 run up"
  /// Where it comes from.
  public static let source = "Kramár et al. 2024, arXiv 2403.00745"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = false
  /// What may stand in for a writer's output.
  public static let replacements = [SourceReplacement.pair]

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    let layers = model.configuration.layers
    // Half of the progress is the heads', half the rest's.
    var result = try GradDropPatching().attribute(model, task, options) { progress($0, 2 * $1) }
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let changes = try mixChanges(
        model, clean: batch, corrupted: task.corruptedBatch(indices))
      var sums = [[[Double]]](
        repeating: [[Double]](
          repeating: [Double](repeating: 0, count: model.configuration.heads), count: indices.count),
        count: layers)
      for dropped in 0..<layers {
        _ = try model.gradients(
          of: task.logitMetric(indices, model: model), batch,
          observing: Set((0..<layers).map { .z(layer: $0) }),
          applying: GradDropPatching.dropping(dropped, of: model), values: { _, _ in },
          gradients: { point, slopes in
            guard let layer = point.layer, layer != dropped else { return }
            for (prompt, heads) in headProducts(changes[layer], slopes).enumerated() {
              for (head, score) in heads.enumerated() { sums[layer][prompt][head] += abs(score) }
            }
          })
      }
      for layer in 0..<layers {
        for (place, prompt) in indices.enumerated() {
          for head in 0..<result.graph.heads {
            guard let source = result.graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
            result.nodes?[prompt][source] = sums[layer][place][head] / Double(max(1, layers - 1))
          }
        }
      }
      progress(batches.count + done + 1, 2 * batches.count)
    }
    return result
  }

  /// For each layer, the change of every head's z where its queries, its keys or its values become the corrupted
  /// prompt's, summed over the three; `[prompt, position, head, d_head]`.
  private func mixChanges(
    _ model: Transformer, clean: TokenBatch, corrupted: TokenBatch
  ) throws -> [Tensor] {
    let layers = model.configuration.layers
    let inputs: [BlockPoint] = [.queries, .keys, .values]
    let donors = try model.run(
      corrupted, reading: Set((0..<layers).flatMap { layer in inputs.map { .block(layer: layer, $0) } }))
    let own = try model.run(
      clean, reading: Set((0..<layers).flatMap { [.residPre(layer: $0), .z(layer: $0)] }))
    return try (0..<layers).map { layer in
      let start = StreamStart(layer: layer, stream: own[.residPre(layer: layer)])
      var change = own[.z(layer: layer)]
      change.scale(by: -Float(inputs.count))
      for input in inputs {
        let point = HookPoint.block(layer: layer, input)
        let run = try model.run(
          clean, reading: [.z(layer: layer)], applying: [point: .replacing(with: donors[point])], from: start)
        change.add(run[.z(layer: layer)])
      }
      return change
    }
  }
}
