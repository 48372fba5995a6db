// Which models' streams are the sum of what their nodes write.

import Transformers

extension Transformer {
  /// Refuses a model whose residual stream is not the sum of what heads and MLPs write: edges have no meaning there.
  /// - Throws: `CausalError.badOption`.
  public func requireSummedStream(for work: String) throws(CausalError) {
    if configuration.residual == .normalized {
      throw .badOption(
        "\(work) takes the residual stream for a sum of outputs, and this model normalises the stream itself; methods that "
          + "score nodes work: patch, and attribute with a method of nodes")
    }
    if configuration.residualScale != 1 {
      throw .badOption(
        "\(work) takes the residual stream for a sum of outputs, and this model multiplies them by "
          + "\(configuration.residualScale); methods that score nodes work: patch, and attribute with a method of nodes"
      )
    }
  }
}
