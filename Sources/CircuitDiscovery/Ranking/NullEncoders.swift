// Null baselines: what a trained autoencoder must beat to be worth its training.

import Recordings
import SparseAutoencoders
import Tensors

/// A way to encode head outputs without a trained autoencoder.
public enum NullEncoder: String, CaseIterable, Codable, Hashable, Sendable {
  /// An autoencoder of the same shape with random unit rows and no training.
  case randomProjection = "random-projection"
  /// k-means clusters of the training samples: one-hot activations of the nearest centre.
  case kMeans = "k-means"

  /// The encoder for samples of a recording.
  ///
  /// - Parameters:
  ///   - samples: `[samples, d_model]`, what the autoencoder would be trained on.
  ///   - features: the number of directions or clusters.
  public func encoder(samples: Tensor, features: Int, seed: UInt64) -> HeadEncoder {
    var generator = SeededGenerator(seed: seed, stream: rawValue)
    switch self {
    case .randomProjection:
      return SparseAutoencoder(features: features, width: samples.shape[1], generator: &generator).encoding
    case .kMeans:
      let centres = kMeansCentres(samples, count: min(features, samples.shape[0]), generator: &generator)
      return { nearestCentres($0, centres) }
    }
  }
}

/// Lloyd's algorithm from centres drawn among the samples, ten rounds.
/// - Returns: `[count, d_model]`.
func kMeansCentres(_ samples: Tensor, count: Int, generator: inout SeededGenerator) -> Tensor {
  let width = samples.shape[1]
  let chosen = generator.permutation(of: samples.shape[0]).prefix(count)
  var centres = Tensor(chosen.flatMap { samples.row($0).values }, shape: [count, width])
  for _ in 0..<10 {
    let nearest = nearestIndices(samples, centres)
    var sums = [Float](repeating: 0, count: count * width)
    var sizes = [Int](repeating: 0, count: count)
    samples.withValues { values in
      for (sample, centre) in nearest.enumerated() {
        sizes[centre] += 1
        for column in 0..<width { sums[centre * width + column] += values[sample * width + column] }
      }
    }
    centres.withMutableValues { values in
      // A centre that lost all its samples stays where it is.
      for centre in 0..<count where sizes[centre] > 0 {
        for column in 0..<width {
          values[centre * width + column] = sums[centre * width + column] / Float(sizes[centre])
        }
      }
    }
  }
  return centres
}

/// One-hot activations `[samples, centres]` of the nearest centre.
func nearestCentres(_ samples: Tensor, _ centres: Tensor) -> Tensor {
  var activations = Tensor(zeros: [samples.shape[0], centres.shape[0]])
  let nearest = nearestIndices(samples, centres)
  let width = centres.shape[0]
  activations.withMutableValues { values in
    for (sample, centre) in nearest.enumerated() { values[sample * width + centre] = 1 }
  }
  return activations
}

/// The centre of least squared distance for each sample, the first of equals.
private func nearestIndices(_ samples: Tensor, _ centres: Tensor) -> [Int] {
  let products = matrixProduct(samples, centres, transposingB: true)
  let (count, width) = (centres.shape[0], centres.shape[1])
  let lengths = (0..<count).map { centre in
    centres.withValues { values in
      (centre * width..<(centre + 1) * width).reduce(Float(0)) { $0 + values[$1] * values[$1] }
    }
  }
  return products.withValues { values in
    (0..<samples.shape[0]).map { sample in
      var best = 0
      var least = Float.infinity
      for centre in 0..<count {
        let distance = lengths[centre] - 2 * values[sample * count + centre]
        if distance < least { (best, least) = (centre, distance) }
      }
      return best
    }
  }
}

/// The plain norm of the paired difference, without any dictionary: the mean over pairs of ‖x⁺ − x⁻‖₂ for each head, at
/// its strongest position.
/// - Parameter excluded: examples whose pairs are left out.
public func pairedDifferenceNorms(
  _ recording: Recording, averaging: Bool, excluding excluded: Set<Int> = []
) throws -> [Double] {
  let heads = recording.description.layers * recording.description.heads
  let width = recording.description.dModel
  let positions = recording.positionCount(averaging: averaging)
  let pairs = recording.pairs.filter { !excluded.contains($0.positive) && !excluded.contains($0.negative) }
  // `[positions][heads]` of each pair, for the positions both prompts reach.
  let norms = parallelMap(pairs.count) { index in
    Result { () throws(RecordingError) in
      let pair = pairs[index]
      let sides = try [pair.positive, pair.negative].map { (example) throws(RecordingError) in
        try recording.headSamples(example..<example + 1, averaging: averaging)
          .reshaped([positions * heads, width])
      }
      let lengths = [pair.positive, pair.negative].map {
        positions == 1 ? 1 : recording.examples[$0].tokens.count
      }
      return (0..<min(lengths[0], lengths[1])).map { offset in
        let starts = lengths.map { ($0 - 1 - offset) * heads }
        return differenceNorms(
          sides[0].rows(starts[0]..<starts[0] + heads), sides[1].rows(starts[1]..<starts[1] + heads))
      }
    }
  }
  var sums = [[Double]](repeating: [Double](repeating: 0, count: heads), count: positions)
  var counts = [Int](repeating: 0, count: positions)
  for found in norms {
    for (offset, values) in try found.get().enumerated() {
      counts[offset] += 1
      for head in 0..<heads { sums[offset][head] += values[head] }
    }
  }
  let means = zip(sums, counts).map { sums, count in sums.map { $0 / Double(max(count, 1)) } }
  return strongestPositions(of: means).scores
}

/// ‖aᵢ − bᵢ‖₂ of each row.
private func differenceNorms(_ a: Tensor, _ b: Tensor) -> [Double] {
  let (rows, width) = (a.shape[0], a.shape[1])
  return a.withValues { a in
    b.withValues { b in
      (0..<rows).map { row in
        var squares: Float = 0
        for index in row * width..<(row + 1) * width {
          let difference = a[index] - b[index]
          squares += difference * difference
        }
        return Double(squares).squareRoot()
      }
    }
  }
}
