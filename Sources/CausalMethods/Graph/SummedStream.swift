// Which models' streams are the sum of what their nodes write, and how often each enters it.

import Tensors
import Transformers

extension Transformer {
  /// Refuses a model whose residual stream is not the sum of what heads and MLPs write: edges have no meaning there.
  /// - Throws: `CausalError.badOption`.
  public func requireSummedStream(for work: String) throws(CausalError) {
    if configuration.residual == .normalized {
      throw .badOption(
        "\(work) takes what a part reads for a sum of earlier parts' outputs; this model normalises the stream itself "
          + "behind attention and behind the MLP, which divides every earlier output by the size of the sum of all, so "
          + "that none has a share of its own in what later layers read; methods that score nodes work: patch, and "
          + "attribute with a method of nodes")
    }
  }

  /// The factor with which a source's output enters the stream: heads' outputs z·W_O are multiplied where the model has a
  /// factor on what its modules add (Granite); those of MLPs are taken behind it.
  func streamFactor(of source: GraphNode) -> Float {
    if case .head = source { configuration.residualScale } else { 1 }
  }

  /// Turns heads' outputs, or their differences, into what they add to the stream, in place: `[source, …]`.
  func multiplyByStreamFactors(_ outputs: inout Tensor, _ graph: CircuitGraph) {
    guard configuration.residualScale != 1 else { return }
    let width = outputs.count / graph.sourceCount
    let factors = (0..<graph.sourceCount).map { streamFactor(of: graph.source($0)) }
    outputs.withMutableValues { values in
      for index in values.indices { values[index] *= factors[index / width] }
    }
  }
}
