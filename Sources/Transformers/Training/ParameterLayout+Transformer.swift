// Between a model that runs and the one tensor that training works on.

import Tensors

extension ParameterLayout {
  /// The parameters of a loaded model, in this layout; absent biases are 0, absent gains 1.
  /// - Precondition: `TrainableArchitecture(model)` is the layout's architecture.
  /// - Throws: `TensorError.notFinite` where a stored weight cannot be widened.
  public func parameters(of model: Transformer) throws -> Tensor {
    let weights = model.weights
    var collector = Collector(values: [Float](repeating: 0, count: count))
    collector.put(try weights.tokenEmbedding.tensor(), at: embedding.offset)
    if let positions, let table = weights.positionEmbedding { collector.put(table, at: positions.offset) }
    for (place, block) in zip(blocks, weights.blocks) {
      collector.put(block.attentionNorm, at: place.norm1)
      if let projection = block.fusedProjection { try collector.put(projection, at: place.queryKeyValue) }
      try collector.put(block.attention.output, at: place.output)
      collector.put(block.mlpNorm, at: place.norm2)
      guard let mlp = block.mlp, let mlpIn = place.mlpIn, let mlpOut = place.mlpOut else { continue }
      try collector.put(mlp.input, at: mlpIn)
      try collector.put(mlp.output, at: mlpOut)
    }
    collector.put(weights.finalNorm, at: finalNorm)
    if let unembedding {
      try collector.put(weights.output, at: LinearWindows(weight: unembedding, bias: unembeddingBias))
    } else if let unembeddingBias, let bias = weights.tiedUnembeddingBias {
      collector.put(bias, at: unembeddingBias.offset)
    }
    return Tensor(collector.values)
  }

  /// The part of `parameters` that a slice names, in its shape; nothing is copied.
  public func tensor(_ slice: ParameterSlice, of parameters: Tensor) -> Tensor {
    parameters.rows(slice.offset..<slice.offset + slice.count).reshaped(slice.shape)
  }

  /// A model that runs with these parameters.
  /// - Parameter family: what the configuration calls the model.
  public func transformer(_ parameters: Tensor, family: String = "headlamp") -> Transformer {
    let shape = architecture
    func vector(_ window: VectorWindow) -> Tensor {
      parameters.rows(window.offset..<window.offset + window.count)
    }
    func matrix(_ window: MatrixWindow) -> Tensor {
      parameters.rows(window.offset..<window.offset + window.rows * window.columns)
        .reshaped([window.rows, window.columns])
    }
    func norm(_ place: LayerNormWindows?) -> NormWeights? {
      place.map { NormWeights(gain: vector($0.weight), bias: vector($0.bias)) }
    }
    func map(_ place: LinearWindows) -> Linear {
      Linear(Weight(matrix(place.weight)), .inputOutput, bias: place.bias.map(vector))
    }
    let rule = AttentionRule(scale: shape.scoreScale, isCausal: shape.isCausal)
    let configuration = TransformerConfiguration(
      family: family, layers: shape.layers, heads: shape.heads, keyValueHeads: shape.heads,
      dModel: shape.modelWidth, dHead: shape.headWidth, dMLP: shape.mlp?.width ?? 0,
      vocabulary: shape.vocabulary, context: shape.context,
      normalization: shape.normEpsilon.map { .layer(epsilon: $0) },
      positions: shape.hasPositions ? .learned : .none, activation: shape.mlp?.activation ?? .relu,
      mlp: shape.mlp == nil ? .none : .plain,
      attention: Array(repeating: AttentionConfiguration(rule: rule), count: shape.layers),
      tiesEmbeddings: shape.tiesUnembedding)
    let weights = TransformerWeights(
      tokenEmbedding: Weight(matrix(embedding)), positionEmbedding: positions.map(matrix),
      blocks: blocks.map { block in
        BlockWeights(
          attentionNorm: norm(block.norm1),
          attention: AttentionWeights(
            projections: .fused(map(block.queryKeyValue), .byKind), output: map(block.output)),
          mlpNorm: norm(block.norm2),
          mlp: block.mlpIn.flatMap { mlpIn in
            block.mlpOut.map { MLPWeights(input: map(mlpIn), output: map($0)) }
          })
      },
      finalNorm: norm(finalNorm),
      unembedding: unembedding.map { map(LinearWindows(weight: $0, bias: unembeddingBias)) },
      tiedUnembeddingBias: unembedding == nil ? unembeddingBias.map(vector) : nil)
    return Transformer(configuration: configuration, weights: weights)
  }
}

/// All parameters on their way into one array.
private struct Collector {
  var values: [Float]

  mutating func put(_ tensor: Tensor, at offset: Int) {
    values.replaceSubrange(offset..<offset + tensor.count, with: tensor.values)
  }

  mutating func put(_ norm: NormWeights?, at place: LayerNormWindows?) {
    guard let place else { return }
    put(norm?.gain ?? Tensor(repeating: 1, shape: [place.weight.count]), at: place.weight.offset)
    if let bias = norm?.bias { put(bias, at: place.bias.offset) }
  }

  mutating func put(_ linear: Linear, at place: LinearWindows) throws {
    let matrix = try linear.weight.tensor()
    put(linear.orientation == .inputOutput ? matrix : matrix.transposedMatrix(), at: place.weight.offset)
    if let bias = linear.bias, let target = place.bias { put(bias, at: target.offset) }
  }
}

extension Tensor {
  /// A matrix with its axes exchanged.
  func transposedMatrix() -> Tensor {
    precondition(rank == 2, "transposing shape \(shape)")
    let (rows, columns) = (shape[0], shape[1])
    return Tensor(shape: [columns, rows]) { target in
      withValues { source in
        for row in 0..<rows {
          for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
        }
      }
    }
  }
}
