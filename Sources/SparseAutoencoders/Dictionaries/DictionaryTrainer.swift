// Training a dictionary, a few samples a step.

import CKernels
import Tensors

/// How a dictionary is trained.
public struct DictionarySettings: Hashable, Codable, Sendable {
  /// The number of features.
  public var features = 200
  /// What keeps activations few.
  public var sparsity = DictionarySparsity.topK(16)
  /// Updates.
  public var steps = 800
  /// Samples in an update.
  public var batch = 256
  /// Adam's learning rate.
  public var learningRate = 0.01
  /// Samples drawn to train on.
  public var samples = 16_384

  /// The usual settings.
  public init() {}

  /// Refuses settings that cannot be trained with.
  public func validate() throws(SparseAutoencoderError) {
    func require(_ holds: Bool, _ name: String, _ value: some Any, _ allowed: String)
      throws(SparseAutoencoderError)
    {
      if !holds { throw .badHyperparameter(name: name, value: "\(value)", allowed: allowed) }
    }
    try require((1...65_536).contains(features), "features", features, "1 to 65536")
    switch sparsity {
    case .penalty(let weight):
      try require(weight >= 0 && weight.isFinite, "lambda", weight, "0 or more")
    case .topK(let count):
      try require((1...features).contains(count), "top-k", count, "1 to \(features)")
    case .batchTopK(let count):
      try require((1...features).contains(count), "batch-top-k", count, "1 to \(features)")
    }
    try require((1...1_000_000).contains(steps), "dictionary-steps", steps, "1 to 1000000")
    try require((1...1_000_000).contains(batch), "batch", batch, "1 to 1000000")
    try require(learningRate > 0 && learningRate.isFinite, "learning-rate", learningRate, "above 0")
    try require((2...10_000_000).contains(samples), "samples", samples, "2 to 10000000")
  }
}

/// A dictionary in training.
///
/// Loss = mean over samples of ‖x̂ − x‖² + λ‖f‖₁; directions keep unit length, with the gradient's part along them taken
/// away; Adam, the learning rate falling to zero over the last fifth of the steps.
public struct DictionaryTrainer: Sendable {
  /// The dictionary as it is now.
  public private(set) var dictionary: SparseDictionary
  private let samples: Tensor
  private let settings: DictionarySettings
  private var generator: SeededGenerator
  private var moments: [Moments]
  private var step = 0

  /// Adam's moments of one array of parameters.
  private struct Moments: Sendable {
    var first: Tensor
    var second: Tensor

    mutating func update(
      _ parameters: inout Tensor, _ gradient: Tensor, _ coefficients: AdamWCoefficients
    ) {
      adamWStep(
        &parameters, gradient: gradient, firstMoment: &first, secondMoment: &second,
        window: VectorWindow(offset: 0, count: parameters.count), coefficients: coefficients)
    }
  }

  /// A trainer before its first step, on samples `[samples, width]`.
  ///
  /// First directions are samples drawn at random, less the samples' mean, which is the first bias.
  public init(samples: Tensor, settings: DictionarySettings, seed: UInt64) {
    var generator = SeededGenerator(seed: seed, stream: "dictionary")
    let (count, width) = (samples.shape[0], samples.shape[1])
    var dictionary = SparseDictionary(
      features: settings.features, width: width, selection: settings.sparsity.selectionInTraining,
      generator: &generator)
    let mean = samples.meanOfRows()
    dictionary.bias = mean
    for feature in 0..<settings.features {
      var row = samples.row(generator.index(below: count))
      row.subtract(mean.reshaped(row.shape))
      let square = row.values.reduce(0) { $0 + $1 * $1 }
      if square > 0 { dictionary.directions.write(row, at: feature * width) }
    }
    dictionary.directions.scaleRowsToUnitLength()
    dictionary.encoder = dictionary.directions
    let pull = matrixProduct(mean.reshaped([1, width]), dictionary.encoder, transposingB: true)
    dictionary.encoderBias = pull.scaled(by: -1).reshaped([settings.features])
    self.dictionary = dictionary
    self.samples = samples
    self.settings = settings
    self.generator = generator
    moments = [dictionary.encoder, dictionary.encoderBias, dictionary.directions, dictionary.bias].map {
      Moments(first: Tensor(zeros: $0.shape), second: Tensor(zeros: $0.shape))
    }
  }

  /// One update.
  /// - Returns: the loss before it.
  public mutating func advance() -> Double {
    let rows = (0..<settings.batch).map { _ in generator.index(below: samples.shape[0]) }
    let x = samples.gatheringRows(rows)
    let f = trainingActivations(of: x)
    var residual = dictionary.reconstruction(from: f)
    residual.subtract(x)
    let squares = residual.sumOfSquares()
    let penalty = settings.sparsity.weight
    let loss =
      (squares + (penalty == 0 ? 0 : penalty * f.values.reduce(0.0) { $0 + Double($1) }))
      / Double(settings.batch)
    residual.scale(by: 2 / Float(settings.batch))
    var slopes = matrixProduct(residual, dictionary.directions, transposingB: true)
    slopes.maskAndAdd(Float(penalty) / Float(settings.batch), where: f)
    var directionGradient = Tensor(zeros: dictionary.directions.shape)
    matrixProduct(
      f, f.matrix.transpose, residual, residual.matrix, into: &directionGradient, directionGradient.matrix)
    var encoderGradient = Tensor(zeros: dictionary.encoder.shape)
    matrixProduct(
      slopes, slopes.matrix.transpose, x, x.matrix, into: &encoderGradient, encoderGradient.matrix)
    directionGradient.removePartsAlong(dictionary.directions)
    step += 1
    let coefficients = self.coefficients
    moments[0].update(&dictionary.encoder, encoderGradient, coefficients)
    moments[1].update(&dictionary.encoderBias, slopes.sumOfRows(), coefficients)
    moments[2].update(&dictionary.directions, directionGradient, coefficients)
    moments[3].update(&dictionary.bias, residual.sumOfRows(), coefficients)
    dictionary.directions.scaleRowsToUnitLength()
    return loss
  }

  /// Activations as training uses them. Where the largest of a batch stay, the threshold for later use follows the
  /// smallest of them.
  private mutating func trainingActivations(of x: Tensor) -> Tensor {
    guard case .batchTopK(let count) = settings.sparsity else { return dictionary.activations(of: x) }
    let threshold = dictionary.selection
    dictionary.selection = .all
    var f = dictionary.activations(of: x)
    let least = f.keepLargest(count * x.shape[0])
    dictionary.selection = threshold
    if let least {
      let before = if case .above(let value) = threshold { value } else { least }
      dictionary.selection = .above(before + 0.01 * (least - before))
    }
    return f
  }

  private var coefficients: AdamWCoefficients {
    let (beta1, beta2) = (Float(0.9), Float(0.999))
    let left = Float(settings.steps - step + 1) / Float(max(1, settings.steps / 5))
    let rate = Float(settings.learningRate) * min(1, left)
    func rest(_ beta: Float) -> Float { 1 - Float(power(Double(beta), Double(step))) }
    return AdamWCoefficients(
      gradientScale: 1, beta1: beta1, beta2: beta2, epsilon: 1e-8, decayFactor: 1,
      stepSize: rate / rest(beta1), deviationScale: 1 / rest(beta2).squareRoot())
  }
}

/// A dictionary trained on samples `[samples, width]` of any scale, with its losses before each step.
///
/// Samples are divided by the root of their mean squared length first, so that λ means the same for every model.
public func trainDictionary(
  on samples: Tensor, _ settings: DictionarySettings, seed: UInt64,
  progress: (Int, Int) -> Void = { _, _ in }
) -> (dictionary: SparseDictionary, losses: [Double]) {
  let squares = samples.sumOfSquares()
  let scale = Float((squares / Double(max(1, samples.shape[0]))).squareRoot())
  var scaled = samples
  if scale > 0 { scaled.scale(by: 1 / scale) }
  var trainer = DictionaryTrainer(samples: scaled, settings: settings, seed: seed)
  var losses: [Double] = []
  for step in 0..<settings.steps {
    losses.append(trainer.advance())
    progress(step + 1, settings.steps)
  }
  return (scale > 0 ? trainer.dictionary.scaled(by: scale) : trainer.dictionary, losses)
}

extension DictionarySparsity {
  /// What stays of a sample's activations before anything was trained.
  fileprivate var selectionInTraining: CodeSelection {
    if case .topK(let count) = self { .largest(count) } else { .all }
  }
}

extension Tensor {
  /// The sum of all rows of a matrix.
  fileprivate func sumOfRows() -> Tensor {
    let (rows, columns) = (matrix.rows, matrix.columns)
    var sums = Tensor(zeros: [columns])
    let ones = Tensor(repeating: 1, shape: [1, rows])
    matrixProduct(ones, ones.matrix, self, matrix, into: &sums, MatrixWindow(rows: 1, columns: columns))
    return sums
  }

  /// The sum of the squares of all elements.
  fileprivate func sumOfSquares() -> Double {
    withValues { values in
      var sum = 0.0
      // Sums of single precision stay short.
      for start in stride(from: 0, to: values.count, by: 1024) {
        var part: Float = 0
        for index in start..<Swift.min(start + 1024, values.count) { part += values[index] * values[index] }
        sum += Double(part)
      }
      return sum
    }
  }

  /// The mean of all rows of a matrix.
  fileprivate func meanOfRows() -> Tensor { sumOfRows().scaled(by: 1 / Float(max(1, matrix.rows))) }

  /// Adds a number where another tensor is above zero, and sets the rest to zero.
  fileprivate mutating func maskAndAdd(_ addend: Float, where other: Tensor) {
    let (values, mask) = (FloatAddress(mutablePointer()), ConstFloatAddress(other.pointer))
    withExtendedLifetime(other.storage) {
      parallelRanges(count, minimum: 1 << 14) { range in
        for index in range {
          values.address[index] = mask.address[index] > 0 ? values.address[index] + addend : 0
        }
      }
    }
  }

  /// Takes away each row's part along the row of the same number of another matrix, whose rows have unit length.
  fileprivate mutating func removePartsAlong(_ other: Tensor) {
    let (rows, columns) = (matrix.rows, matrix.columns)
    let (values, along) = (FloatAddress(mutablePointer()), ConstFloatAddress(other.pointer))
    withExtendedLifetime(other.storage) {
      parallelRanges(rows, minimum: 16) { range in
        for row in range {
          let (x, d) = (values.address + row * columns, along.address + row * columns)
          var product: Float = 0
          for column in 0..<columns { product += x[column] * d[column] }
          for column in 0..<columns { x[column] -= product * d[column] }
        }
      }
    }
  }
}
