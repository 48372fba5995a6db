// The sparse training step against the plain one: the same numbers, with silent features left out or not.

import SparseAutoencoders
import Tensors
import Testing

/// The method written down plainly in double precision, dense and without shortcuts.
struct PlainTrainer {
  var encoder: [[Double]]
  var decoder: [[Double]]
  var encoderBias: [Double]
  var tiedBias: [Double]
  var moments: [[Double]] = []
  var steps = 0
  let samples: [[Double]]
  let sparsity: Double
  let keep: Int?

  init(_ start: SparseAutoencoder, samples: Tensor, sparsity: Double, keep: Int?) {
    func rows(_ tensor: Tensor) -> [[Double]] {
      (0..<tensor.shape[0]).map { tensor.row($0).values.map { Double($0) } }
    }
    encoder = rows(start.encoder)
    decoder = rows(start.decoder)
    encoderBias = start.encoderBias.values.map { Double($0) }
    tiedBias = start.tiedBias.values.map { Double($0) }
    self.samples = rows(samples)
    self.sparsity = sparsity
    self.keep = keep
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

  mutating func step() -> Double {
    for matrix in [\PlainTrainer.encoder, \PlainTrainer.decoder] {
      self[keyPath: matrix] = self[keyPath: matrix].map { row in
        let length = dot(row, row).squareRoot()
        return row.map { $0 / length }
      }
    }
    let (count, width, features) = (Double(samples.count), tiedBias.count, encoder.count)
    var encoderGradient = encoder.map { $0.map { _ in 0.0 } }
    var decoderGradient = decoder.map { $0.map { _ in 0.0 } }
    var encoderBiasGradient = [Double](repeating: 0, count: features)
    var tiedBiasGradient = [Double](repeating: 0, count: width)
    var loss = 0.0
    for x in samples {
      let centred = zip(x, tiedBias).map { $0 - $1 }
      var f = (0..<features).map { max(0, dot(centred, encoder[$0]) + encoderBias[$0]) }
      if let keep {
        let kept = Set(f.indices.sorted { (-f[$0], $0) < (-f[$1], $1) }.prefix(keep))
        for feature in f.indices where !kept.contains(feature) { f[feature] = 0 }
      }
      let residual = (0..<width).map { dot(decoder[$0], f) + tiedBias[$0] - x[$0] }
      loss += dot(residual, residual) / (count * Double(width)) + sparsity * f.reduce(0, +) / count
      let g = residual.map { 2 * $0 / (count * Double(width)) }
      for row in 0..<width {
        tiedBiasGradient[row] += g[row]
        for feature in 0..<features { decoderGradient[row][feature] += g[row] * f[feature] }
      }
      for feature in 0..<features where f[feature] > 0 {
        let slope = (0..<width).reduce(sparsity / count) { $0 + g[$1] * decoder[$1][feature] }
        encoderBiasGradient[feature] += slope
        for column in 0..<width {
          encoderGradient[feature][column] += slope * centred[column]
          tiedBiasGradient[column] -= slope * encoder[feature][column]
        }
      }
    }
    func projected(_ gradient: [[Double]], _ weights: [[Double]]) -> [Double] {
      zip(gradient, weights).flatMap { g, w in
        let along = dot(g, w)
        return zip(g, w).map { $0 - along * $1 }
      }
    }
    let gradient =
      projected(encoderGradient, encoder) + projected(decoderGradient, decoder) + encoderBiasGradient
      + tiedBiasGradient
    if moments.isEmpty { moments = [gradient.map { _ in 0 }, gradient.map { _ in 0 }] }
    steps += 1
    var change: [Double] = []
    var (power1, power2) = (1.0, 1.0)
    for _ in 0..<steps { (power1, power2) = (power1 * 0.9, power2 * 0.999) }
    for (index, g) in gradient.enumerated() {
      moments[0][index] = 0.9 * moments[0][index] + 0.1 * g
      moments[1][index] = 0.999 * moments[1][index] + 0.001 * g * g
      change.append(
        1e-3 * (moments[0][index] / (1 - power1)) / ((moments[1][index] / (1 - power2)).squareRoot() + 1e-8))
    }
    for feature in 0..<features {
      for column in 0..<width { encoder[feature][column] -= change[feature * width + column] }
      encoderBias[feature] -= change[2 * features * width + feature]
    }
    for row in 0..<width {
      for feature in 0..<features {
        decoder[row][feature] -= change[features * width + row * features + feature]
      }
      tiedBias[row] -= change[2 * features * width + features + row]
    }
    return loss
  }
}

@Suite struct SparseTrainingTests {
  /// Samples on a few directions, some of them large, so that features die and others live.
  static func samples(count: Int, width: Int, scale: Double) -> Tensor {
    var generator = SeededGenerator(seed: 11)
    let directions = (0..<5).map { _ in (0..<width).map { _ in generator.normal() } }
    return Tensor(
      (0..<count).flatMap { sample in
        (0..<width).map { column in
          Float(scale * (directions[sample % 5][column] + 0.1 * generator.normal()))
        }
      }, shape: [count, width])
  }

  @Test(
    arguments: [(0.02, nil, 0.3), (0.2, nil, 0.3), (0.0, 3, 1.0), (0.05, nil, 2.0)]
      as [(Double, Int?, Double)])
  func everyStepIsThePlainOne(sparsity: Double, keep: Int?, scale: Double) {
    var generator = SeededGenerator(seed: 3)
    let start = SparseAutoencoder(features: 24, width: 20, generator: &generator)
    let samples = Self.samples(count: 70, width: 20, scale: scale)
    var fast = AutoencoderTrainer(
      start, samples: samples,
      hyperparameters: Hyperparameters(features: 24, sparsity: sparsity, activeFeatures: keep))
    var plain = PlainTrainer(start, samples: samples, sparsity: sparsity, keep: keep)
    for step in 1...300 {
      let (found, expected) = (fast.step(), plain.step())
      #expect(abs(found - expected) < 1e-4 * max(expected, 1e-3), "loss of step \(step)")
    }
    let found = fast.autoencoder
    func difference(_ tensor: Tensor, _ rows: [[Double]]) -> Double {
      zip(tensor.values, rows.joined()).map { abs(Double($0) - $1) }.max() ?? 0
    }
    // Adam divides by the root of squared gradients: where these are tiny, rounding decides some steps of 1e-3.
    #expect(difference(found.encoder, plain.encoder) < 5e-3)
    #expect(difference(found.decoder, plain.decoder) < 5e-3)
    #expect(difference(found.tiedBias, [plain.tiedBias]) < 5e-3)
  }

  @Test func theNumberOfThreadsDoesNotMatter() {
    let samples = Self.samples(count: 300, width: 64, scale: 0.5)
    var generator = SeededGenerator(seed: 3)
    let start = SparseAutoencoder(features: 40, width: 64, generator: &generator)
    let trained = [1, 2, 3].map { threads in
      Threads.use(threads)
      defer { Threads.use(0) }
      var trainer = AutoencoderTrainer(
        start, samples: samples, hyperparameters: Hyperparameters(features: 40))
      for _ in 0..<60 { _ = trainer.step() }
      return trainer.autoencoder
    }
    #expect(trained[0] == trained[1])
    #expect(trained[0] == trained[2])
  }
}
