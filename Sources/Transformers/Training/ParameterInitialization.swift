// Parameters before the first step.

import Tensors

extension ParameterLayout {
  /// Fresh parameters, drawn from `seed` alone: norms at 1 and 0, biases at 0, matrices normal with deviation
  /// 1/√(rows in), those that write to the residual stream smaller by 1/√(2 · layers), embeddings and positions
  /// with deviation `embeddingDeviation`.
  ///
  /// Embeddings as small as GPT-2's (0.02) drown in what the first layers add to the stream; heads that match tokens,
  /// induction heads first, then take many times as long to form.
  public func initialParameters(seed: UInt64, embeddingDeviation: Double = 0.5) -> Tensor {
    var generator = SeededGenerator(seed: seed, stream: "parameters")
    var values = [Float](repeating: 0, count: count)
    let writers = 1 / Double(max(1, 2 * architecture.layers)).squareRoot()
    for slice in slices {
      if slice.shape.count == 1 {
        if slice.name.hasSuffix(".w") {
          for index in 0..<slice.count { values[slice.offset + index] = 1 }
        }
        continue
      }
      let isTable = slice.name.hasPrefix("embed.") || slice.name.hasPrefix("pos_embed.")
      let isWriter = slice.name.hasSuffix("W_O") || slice.name.hasSuffix("W_out")
      let deviation =
        isTable
        ? embeddingDeviation : (isWriter ? writers : 1) / Double(slice.shape[0]).squareRoot()
      for index in 0..<slice.count { values[slice.offset + index] = Float(deviation * generator.normal()) }
    }
    return Tensor(values)
  }
}
