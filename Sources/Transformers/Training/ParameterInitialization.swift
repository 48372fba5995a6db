// Parameters before the first step.

import Tensors

extension TransformerBlueprint {
  /// A layout of the model's parameters, with fresh ones drawn from `seed` alone: gains and biases as the blueprint has
  /// them, matrices normal with deviation 1/√(rows in), those that write to the residual stream smaller by
  /// 1/√(2 · layers), embeddings and positions with deviation `embeddingDeviation`.
  ///
  /// Embeddings as small as GPT-2's (0.02) drown in what the first layers add to the stream; heads that match tokens,
  /// induction heads first, then take many times as long to form.
  public func initialParameters(
    seed: UInt64, embeddingDeviation: Double = 0.5
  ) throws -> (layout: ParameterLayout, values: Tensor) {
    let layout = ParameterLayout(transformer())
    var generator = SeededGenerator(seed: seed, stream: "parameters")
    var values = try layout.parameters().values
    let writers = 1 / Double(max(1, 2 * configuration.layers)).squareRoot()
    for slice in layout.slices where slice.shape.count > 1 {
      let deviation =
        switch slice.parameter {
        case .tokenEmbedding, .positionEmbedding: embeddingDeviation
        case .block(_, .headCodes), .block(_, .mlpCodes): 1 / Double(slice.shape[1]).squareRoot()
        case .block(_, .outputWeight), .block(_, .outWeight): writers / Double(slice.shape[0]).squareRoot()
        default: 1 / Double(slice.shape[0]).squareRoot()
        }
      for index in 0..<slice.count { values[slice.offset + index] = Float(deviation * generator.normal()) }
    }
    return (layout, Tensor(values))
  }
}
