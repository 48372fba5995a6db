// Directions in which heads' outputs are read and written: a trained autoencoder's, or those of a null in its place.

import SparseAutoencoders
import Tensors

/// Activations of head outputs, and what each activation adds to the residual stream.
public struct CodeDictionary: Sendable {
  /// What it is: `trained`, or the name of a null.
  public let name: String
  /// D: what a unit of each code adds to a head's output `[features, d_model]`.
  public let directions: Tensor
  /// What each head's outputs are divided by before they are read, and their activations multiplied by after, over all
  /// layers; nil where outputs are read as they are.
  public let scales: [Float]?
  private let encoder: HeadEncoder

  /// The number of codes.
  public var features: Int { directions.shape[0] }

  /// A trained dictionary.
  /// - Parameter scales: of each head's outputs; dictionaries are trained on outputs divided by them, so that heads that
  ///   write little are told as well as heads that write much.
  public init(_ dictionary: SparseDictionary, scales: [Float]? = nil, name: String = "trained") {
    self.init(name: name, directions: dictionary.directions, scales: scales) {
      dictionary.activations(of: $0)
    }
  }

  /// Any encoder with the directions that its activations stand for, `[features, d_model]`.
  public init(name: String, directions: Tensor, scales: [Float]? = nil, encoder: @escaping HeadEncoder) {
    self.name = name
    self.scales = scales
    self.directions = directions
    self.encoder = encoder
  }

  /// The activations f of outputs of neighbouring heads `[rows, heads, d_model]`: `[rows, heads, features]`, none
  /// negative.
  /// - Parameter firstHead: the first of these heads, over all layers.
  public func activations(of outputs: Tensor, firstHead: Int) -> Tensor {
    let (rows, heads, width) = (outputs.shape[0], outputs.shape[1], outputs.shape[2])
    let shape = [rows * heads, width]
    guard let scales else {
      return encoder(outputs.reshaped(shape)).reshaped([rows, heads, features])
    }
    let own = Array(scales[firstHead..<firstHead + heads])
    var result = encoder(outputs.reshaped(shape).scalingRows(by: own.map { 1 / $0 })).scalingRows(by: own)
    result = result.reshaped([rows, heads, features])
    return result
  }

  /// Random directions of unit length that are both read and written: what codes are worth that nobody trained.
  ///
  /// Without a limit on active codes they leave next to nothing of an output out, and say next to nothing about it.
  public static func random(
    features: Int, width: Int, activeFeatures: Int? = nil, seed: UInt64
  ) -> CodeDictionary {
    var generator = SeededGenerator(seed: seed, stream: "random dictionary")
    return CodeDictionary(
      SparseDictionary(
        features: features, width: width, selection: activeFeatures.map { .largest($0) } ?? .all,
        generator: &generator),
      name: activeFeatures.map { "random dictionary, \($0) codes at once" } ?? "random dictionary")
  }

  /// An autoencoder's random first weights, as O'Neill & Bui draw them: directions that are read and directions that are
  /// written have nothing to do with each other.
  public static func untrained(features: Int, width: Int, seed: UInt64) -> CodeDictionary {
    var generator = SeededGenerator(seed: seed, stream: "untrained dictionary")
    let autoencoder = SparseAutoencoder(features: features, width: width, generator: &generator)
    var decoder = autoencoder.decoder
    decoder.scaleRowsToUnitLength()
    return CodeDictionary(
      name: "untrained autoencoder", directions: decoder.transposed(), encoder: autoencoder.encoding)
  }

  /// Centres of clusters: an output's only code is its nearest centre, and stands for it.
  /// - Parameters:
  ///   - samples: heads' outputs, each divided by its head's scale.
  ///   - scales: of each head, over all layers.
  public static func kMeans(
    samples: Tensor, scales: [Float], features: Int, seed: UInt64
  ) -> CodeDictionary {
    var generator = SeededGenerator(seed: seed, stream: NullEncoder.kMeans.rawValue)
    let centres = kMeansCentres(samples, count: min(features, samples.shape[0]), generator: &generator)
    return CodeDictionary(name: "k-means", directions: centres, scales: scales) {
      nearestCentres($0, centres)
    }
  }
}

extension Tensor {
  /// Rows of the last axis, multiplied by factors in turn.
  fileprivate func scalingRows(by factors: [Float]) -> Tensor {
    var result = self
    let width = shape.last ?? 1
    result.withMutableValues { values in
      for row in 0..<values.count / max(1, width) {
        let factor = factors[row % factors.count]
        for column in row * width..<(row + 1) * width { values[column] *= factor }
      }
    }
    return result
  }
}
