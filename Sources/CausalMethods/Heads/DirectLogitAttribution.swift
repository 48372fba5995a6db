// How much each node's output adds to the answer by itself, without going through later layers.

import Tensors
import Transformers

/// Direct logit attribution (Elhage et al. 2021; nostalgebraist 2020): each writer's output at the answer's position,
/// through the final norm with its scale held at the run's own, times the unembedding's right less wrong directions.
///
/// What is left over (biases of attention, of the final norm and of the unembedding) is `constant`. With a cap on logits
/// the contributions are of the logits before it; `sum` equals the logit difference of uncapped logits. Answers of several
/// tokens count by the first of them: softmax's denominator, which is not a sum over writers, cancels there alone.
public struct DirectLogitAttribution: Sendable {
  /// `[prompt][source]`.
  public var contributions: [[Double]]
  /// Biases, `[prompt]`.
  public var constant: [Double]
  /// The logit difference before any cap, `[prompt]`.
  public var logitDifference: [Double]

  /// Attributes the logit difference of a task's prompts.
  /// - Throws: `CausalError` for questions without answers and for a model whose stream is not the sum of what is written
  ///   to it, `TransformerError` for prompts the model cannot read.
  public init(
    _ model: Transformer, _ task: CausalTask, tokenLimit: Int = 448,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    try model.requireSummedStream(for: "direct logit attribution")
    var task = task
    task.metric = .logitDifference
    try task.requireAnswers()
    let graph = CircuitGraph(model.configuration)
    contributions = [[Double]](
      repeating: [Double](repeating: 0, count: graph.sourceCount), count: task.clean.count)
    constant = [Double](repeating: 0, count: task.clean.count)
    logitDifference = constant
    let batches = task.batches(tokenLimit: tokenLimit)
    let reader = AnswerReader(model)
    for (done, indices) in batches.enumerated() {
      let batch = TokenBatch(indices.map { task.clean[$0] })
      let width = batch.width
      let zeros = Tensor(zeros: [graph.sourceCount, batch.count * width * model.configuration.dModel])
      let study = try NodeStudy(
        model, graph, batch, LogitDifference(indices.map { task.questions[$0] }), replacements: zeros)
      let parts = study.linearContributions
      for (place, prompt) in indices.enumerated() {
        let question = task.questions[prompt]
        let row = place * width + question.position
        let stream = study.streams[graph.layers]
          .reshaped([batch.count * width, model.configuration.dModel]).row(row)
        let direction = try reader.direction(
          right: question.right.map { $0[0] }, wrong: question.wrong.map { $0[0] }, at: stream)
        var sum = 0.0
        for source in 0..<graph.sourceCount {
          let part = parts.row(source).reshaped([batch.count * width, model.configuration.dModel]).row(row)
          contributions[prompt][source] = dot(part, direction.gradient)
          sum += contributions[prompt][source]
        }
        logitDifference[prompt] = direction.value
        constant[prompt] = direction.value - sum
      }
      progress(done + 1, batches.count)
    }
  }
}

extension NodeStudy {
  /// What every source adds to the stream, so that the parts sum to it but for biases: a norm behind attention with its
  /// scale held at the run's own, which makes it linear in the heads. `[source, prompt · position · d_model]`.
  var linearContributions: Tensor {
    var outputs = differences
    outputs.scale(by: -1)
    model.multiplyByStreamFactors(&outputs, graph)
    guard let kind = model.configuration.normalization else { return outputs }
    let width = outputs.shape[1]
    for (layer, raw) in rawOutputs {
      guard let norm = model.weights.blocks[layer].attentionPostNorm else { continue }
      // The held norm is linear, with a diagonal map a row: its adjoint at the same input is the same map.
      for head in 0..<graph.heads {
        guard let source = graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
        var through = Tensor(zeros: [width])
        normalizeRowsAdjoint(
          raw.reshaped([width / model.configuration.dModel, model.configuration.dModel]), kind,
          gain: norm.gain,
          dy: outputs.row(source), addingTo: &through, rule: .relevance)
        outputs.write(through, at: source * width)
      }
    }
    return outputs
  }
}

/// The direction of the stream that raises right answers over wrong ones.
struct AnswerReader {
  private let model: Transformer

  init(_ model: Transformer) { self.model = model }

  /// The gradient of the uncapped logit difference by the last stream with the final norm's scale held, and its value.
  func direction(right: [Int], wrong: [Int], at stream: Tensor) throws -> (gradient: Tensor, value: Double) {
    let output = model.weights.output
    var weights = [Float](repeating: 0, count: output.outputs)
    let scale = model.configuration.logitScale
    for token in right { weights[token] += scale / Float(right.count) }
    for token in wrong { weights[token] -= scale / Float(wrong.count) }
    let row = Tensor(weights, shape: [1, weights.count])
    var unembedded = Tensor(uninitialized: [1, output.inputs])
    try output.adjoint(row, into: &unembedded)
    let x = stream.reshaped([1, stream.count])
    var gradient = Tensor(zeros: [1, stream.count])
    var normalized = x
    if let norm = model.weights.finalNorm, let kind = model.configuration.normalization {
      norm.adjoint(x, kind, dy: unembedded, addingTo: &gradient, rule: .relevance)
      normalized = Tensor(uninitialized: x.shape)
      norm.apply(to: x, kind, into: &normalized)
    } else {
      gradient = unembedded
    }
    var value = dot(normalized, unembedded)
    if let bias = output.bias { value += dot(bias, row) }
    return (gradient, value)
  }
}

/// Σ a·b in double precision.
func dot(_ a: Tensor, _ b: Tensor) -> Double {
  a.withValues { a in
    b.withValues { b in
      var sum = 0.0
      for index in a.indices { sum += Double(a[index]) * Double(b[index]) }
      return sum
    }
  }
}
