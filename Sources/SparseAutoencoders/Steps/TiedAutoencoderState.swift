// The numbers of a tied-bias autoencoder in training, and one step of it, written for samples whose features are mostly
// zero.
//
// The method is O'Neill & Bui 2024, section 3 (rows of unit length, gradients without their part along the rows). What
// is skipped here is only what is known beforehand: features that no sample shows add nothing to any product, samples
// that show no feature are reconstructed as the bias, and a feature that stayed silent in a block of samples is not even
// encoded there again until its weights have moved far enough to reach one.

import CKernels
import Tensors

/// How a training step keeps activations sparse.
public enum ActivationRule: Hashable, Sendable {
  /// `relu`, with the L1 norm of a sample's activations, times this weight, added to the loss.
  case penalised(weight: Float)
  /// `relu`, then only this many of a sample's largest activations.
  case largest(Int)
}

/// Weights, moments of Adam and buffers of an autoencoder in training.
///
/// `x̂ = f·D + b`, `f = relu((x − b)·Eᵀ + c)`; E has unit rows, D unit columns.
public struct TiedAutoencoderState: Sendable {
  /// E, `[features, width]`, as the optimiser left it.
  public private(set) var encoder: Tensor
  /// D, `[features, width]`: the decoder's transpose, as the optimiser left it.
  public private(set) var directions: Tensor
  /// c, one a feature.
  public private(set) var encoderBias: [Float]
  /// b, one a dimension.
  public private(set) var tiedBias: Tensor
  /// The number of steps taken.
  public private(set) var steps = 0

  /// `[samples, width]`, from the longest to the shortest.
  private let samples: Tensor
  private let rule: ActivationRule
  private let learningRate: Float
  private var encoderMoments: [Tensor]
  private var directionMoments: [Tensor]
  private var encoderBiasMoments: [[Float]]
  private var tiedBiasMoments: [[Float]]
  private var codes: SparseRows
  /// `[samples, width]`: the loss's gradient at the reconstruction.
  private var residualGradients: Tensor
  private var encoderGradient: Tensor
  private var directionGradient: Tensor
  private let silentSamples: SilentSamples
  private var screen: SilenceScreen
  /// Samples are encoded in blocks of this many: a block stays in the second-level cache.
  private static let blockRows = 64

  /// A state before its first step.
  /// - Parameters:
  ///   - encoder: `[features, width]`.
  ///   - directions: `[features, width]`, the decoder's transpose.
  ///   - samples: `[samples, width]`.
  public init(
    encoder: Tensor, encoderBias: [Float], directions: Tensor, tiedBias: [Float], samples: Tensor,
    rule: ActivationRule, learningRate: Float
  ) {
    let (features, width) = (encoder.shape[0], encoder.shape[1])
    precondition(
      directions.shape == encoder.shape && encoderBias.count == features && tiedBias.count == width
        && samples.rank == 2 && samples.shape[1] == width && samples.shape[0] > 0,
      "an autoencoder \(encoder.shape), \(directions.shape) on samples \(samples.shape)")
    self.encoder = encoder
    self.encoderBias = encoderBias
    self.directions = directions
    self.tiedBias = Tensor(tiedBias)
    let lengths = samples.rowLengths()
    let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    self.samples = samples.gatheringRows(order.map { Int32($0) })
    self.rule = rule
    self.learningRate = learningRate
    let zeros = Tensor(zeros: [features, width])
    encoderMoments = [zeros, zeros]
    directionMoments = [zeros, zeros]
    encoderBiasMoments = [[Float]](repeating: [Float](repeating: 0, count: features), count: 2)
    tiedBiasMoments = [[Float]](repeating: [Float](repeating: 0, count: width), count: 2)
    codes = SparseRows(rows: samples.shape[0], capacity: features)
    residualGradients = Tensor(zeros: samples.shape)
    encoderGradient = zeros
    directionGradient = zeros
    silentSamples = SilentSamples(self.samples)
    screen = SilenceScreen(
      features: features,
      sampleLengths: stride(from: 0, to: order.count, by: Self.blockRows).map { lengths[order[$0]] })
  }

  /// One full-batch step: unit lengths, forward, gradients, Adam.
  /// - Returns: the loss before the update.
  public mutating func step() -> Double {
    let (count, width) = (samples.shape[0], samples.shape[1])
    encoder.scaleRowsToUnitLength()
    directions.scaleColumnsToUnitLength()
    encode()
    let live = codes.active
    let scale = 2 / Float(count * width)
    var penalty: Float = 0
    if case .penalised(let weight) = rule { penalty = weight / Float(count) }

    let isDense = codes.density > 0.15
    let squares =
      isDense
      ? denseGradients(scale: scale, penalty: penalty)
      : sparseGradients(scale: scale, penalty: penalty, live: live)
    let loss = squares.sum / Double(count * width) + Double(penalty) * codes.sum
    update(live: live, biasGradient: squares.columns)
    return loss
  }

  /// The sparse activations of all samples. Features that cannot be active are left out.
  private mutating func encode() {
    let blocks = (samples.shape[0] + Self.blockRows - 1) / Self.blockRows
    let features = (0..<blocks).map { screen.features(block: $0) }
    let bias = zip(encoderBias, encoder.products(with: tiedBias)).map { $0 - $1 }
    let largest = codes.encode(
      samples, encoder: encoder, bias: bias, blockRows: Self.blockRows, features: features)
    if case .largest(let keep) = rule { codes.keepLargest(keep) }
    for block in 0..<blocks {
      screen.observe(largest: largest[block], of: features[block], block: block)
    }
  }

  private mutating func sparseGradients(
    scale: Float, penalty: Float, live: [Int32]
  ) -> (sum: Double, columns: [Float]) {
    let shown = codes.shownRows
    let squares = codes.decode(
      samples, rows: shown, bias: tiedBias, directions: directions, scale: scale, penalty: penalty,
      gradients: &residualGradients)
    let sums = codes.addGradients(
      samples, residualGradients, rows: shown, live: live, encoder: &encoderGradient,
      directions: &directionGradient)
    let silent = silentSamples.residuals(shown: shown, shownSum: sums.samples, bias: tiedBias.values)
    let columns = zip(sums.gradients, silent.sum).map { $0 + scale * Float($1) }
    return (squares + silent.squares, columns)
  }

  /// The same by dense products, which are faster while many features are active.
  private mutating func denseGradients(scale: Float, penalty: Float) -> (sum: Double, columns: [Float]) {
    let activations = codes.dense()
    matrixProduct(
      activations, activations.matrix, directions, directions.matrix, into: &residualGradients,
      residualGradients.matrix)
    let squares = residualGradients.becomeResidualGradients(samples, bias: tiedBias, scale: scale)
    let slopes = codes.slopes(
      matrixProduct(residualGradients, directions, transposingB: true), adding: penalty)
    matrixProduct(
      activations, activations.matrix.transpose, residualGradients, residualGradients.matrix,
      into: &directionGradient, directionGradient.matrix)
    matrixProduct(
      slopes, slopes.matrix.transpose, samples, samples.matrix, into: &encoderGradient, encoderGradient.matrix
    )
    return (squares, residualGradients.columnSums())
  }

  private mutating func update(live: [Int32], biasGradient: [Float]) {
    steps += 1
    let adam = AdamStep(learningRate: learningRate, step: steps)
    let slopeSums = codes.slopeSums()
    // The bias is taken off before encoding, so each active feature pulls it against its own direction.
    let pull = encoder.weightedRowSum(slopeSums, rows: live)
    var bias = tiedBias.values
    let formerBias = bias
    adam.update(
      &bias, gradient: zip(biasGradient, pull).map { $0 - $1 }, moments: &tiedBiasMoments)
    let formerOffsets = encoderBias
    adam.update(&encoderBias, gradient: slopeSums, moments: &encoderBiasMoments)
    let movements = adam.updateRows(
      &encoder, gradient: encoderGradient, less: tiedBias, weights: slopeSums, live: live,
      moments: &encoderMoments)
    adam.updateColumns(
      &directions, gradient: directionGradient, live: live, moments: &directionMoments)
    tiedBias = Tensor(bias)
    let biasChange = Tensor(zip(bias, formerBias).map { $0 - $1 })
    screen.weightsMoved(
      by: movements, offsets: zip(encoderBias, formerOffsets).map { $0 - $1 },
      pulls: encoder.products(with: biasChange),
      bias: biasChange.values.reduce(0) { $0 + $1 * $1 }.squareRoot(),
      biasLength: bias.reduce(0) { $0 + $1 * $1 }.squareRoot())
  }
}
