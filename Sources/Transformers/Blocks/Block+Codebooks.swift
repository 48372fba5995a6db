// A layer's codebooks: codes in the place of each head's mix of values and of the MLP's output, up and back.

import Tensors

extension Block {
  /// Puts the sum of the nearest codes in the place of every head's mix of values, in `kept.z`.
  func chooseHeadCodes(_ kept: inout BlockActivations, _ run: inout some BlockRun) throws {
    guard let codes = weights.headCodes, let shape = configuration.codebookShape(.heads),
      let similarity = configuration.codebooks?.similarity
    else { return }
    try run.visit(point(.headCodesInput), &kept.z, HeadColumns(filling: shape.books, width: shape.width))
    guard run.reaches(point(.headCodes)) else { return }
    nearestCodes(kept.z, codes, shape, similarity, into: &kept.headCodes)
    try run.visit(point(.headCodes), &kept.headCodes)
    guard run.reaches(point(.z)) else { return }
    if kept.purpose == .parameters { swap(&kept.z, &kept.headCodesInput) }
    sumCodes(kept.headCodes, codes, shape, into: &kept.z)
  }

  /// Puts the sum of the nearest codes in the place of the MLP's output.
  func chooseMLPCodes(
    _ out: inout Tensor, _ kept: inout BlockActivations, _ run: inout some BlockRun
  ) throws {
    guard let codes = weights.mlpCodes, let shape = configuration.codebookShape(.mlp),
      let similarity = configuration.codebooks?.similarity
    else { return }
    try run.visit(point(.mlpCodesInput), &out)
    guard run.reaches(point(.mlpCodes)) else { return }
    nearestCodes(out, codes, shape, similarity, into: &kept.mlpCodes)
    kept.mlpCodes = kept.mlpCodes.reshaped([layout.rowCount, shape.active])
    try run.visit(point(.mlpCodes), &kept.mlpCodes)
    guard run.reaches(point(.rawMLPOut)) else { return }
    if kept.purpose == .parameters { kept.mlpCodesInput.assign(out) }
    sumCodes(kept.mlpCodes, codes, shape, into: &out)
    if kept.purpose == .parameters { kept.mlpCodesSum.assign(out) }
  }
}

// The gradient of a sum of codes goes straight on to what the codes stand for.
extension BlockWay {
  /// From the gradient of z to that of the mix of values that the heads' codebooks read.
  func throughHeadCodes(
    _ gradient: inout Tensor, _ parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    guard weights.headCodes != nil, let shape = configuration.codebookShape(.heads) else { return }
    parameters?.addCodes(
      .block(block.layer, .headCodes), &gradient, x: kept.headCodesInput, y: kept.z, kept.headCodes, shape)
    try run.visit(point(.headCodesInput), &gradient, HeadColumns(filling: shape.books, width: shape.width))
  }

  /// From the gradient of the MLP's output to that of what its codebook read.
  func throughMLPCodes(
    _ gradient: inout Tensor, _ parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    guard weights.mlpCodes != nil, let shape = configuration.codebookShape(.mlp) else { return }
    parameters?.addCodes(
      .block(block.layer, .mlpCodes), &gradient, x: kept.mlpCodesInput, y: kept.mlpCodesSum, kept.mlpCodes,
      shape)
    try run.visit(point(.mlpCodesInput), &gradient)
  }
}

extension Transformer {
  /// The model with codebooks of zeros in the place of any that it has; as it is where none are wanted.
  public func addingCodebooks(_ codebooks: CodebookConfiguration?) -> Transformer {
    guard let codebooks else { return self }
    var configuration = configuration
    configuration.codebooks = codebooks
    var model = Transformer(configuration: configuration, weights: weights)
    for layer in model.weights.blocks.indices {
      let tables = CodebookConfiguration.Place.allCases.map { place in
        model.configuration.codebookShape(place).map {
          Tensor(zeros: [$0.books * $0.codes, $0.width])
        }
      }
      model.weights.blocks[layer].headCodes = tables[0]
      model.weights.blocks[layer].mlpCodes = model.weights.blocks[layer].hasMLP ? tables[1] : nil
    }
    return model
  }
}

extension ParameterGradient {
  /// Adds the gradient of codes: that of their sum and that of the mean squared reconstruction error; adds that of the
  /// commitment to `gradient`.
  mutating func addCodes(
    _ parameter: Parameter, _ gradient: inout Tensor, x: Tensor, y: Tensor, _ chosen: Tensor,
    _ shape: CodebookShape
  ) {
    guard let place = layout.place(of: parameter) else { return }
    addCodeGradient(
      gradient, x: x, y: y, chosen, shape, pull: reconstruction.pull, to: &values, place.vector)
    addCommitment(to: &gradient, x: x, y: y)
  }

  /// Adds the gradient of the distance of `x` to its codes' sum `y`, which is held fast.
  func addCommitment(to gradient: inout Tensor, x: Tensor, y: Tensor) {
    guard reconstruction.commitment > 0 else { return }
    let scale = reconstruction.pull * reconstruction.commitment
    gradient.withMutableValues { gradient in
      x.withValues { x in
        y.withValues { y in
          for index in gradient.indices { gradient[index] += scale * (x[index] - y[index]) }
        }
      }
    }
  }
}

/// How strongly codes are drawn to what they stand for, and the other way round.
public struct CodeReconstruction: Sendable, Equatable {
  /// 2 / rows: the derivative of a mean of squares.
  public var pull: Float = 0
  /// The weight of the inputs' distance to their codes (van den Oord, Vinyals & Kavukcuoglu 2017).
  public var commitment: Float = 0

  /// Nothing: codes follow the gradient of their sum alone.
  public init(pull: Float = 0, commitment: Float = 0) {
    self.pull = pull
    self.commitment = commitment
  }
}
