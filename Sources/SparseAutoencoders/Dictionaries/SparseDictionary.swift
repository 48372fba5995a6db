// A dictionary of directions: activations of samples, and what each activation stands for.

import Tensors

/// `f = relu(x·Eᵀ + c)`, of which a selection may stay; `x̂ = f·D + b`, with D's rows of unit length.
///
/// The usual sparse autoencoder of the field (Bricken et al. 2023, “Towards Monosemanticity”; others by
/// how activations are kept few, see `DictionarySparsity`). The paper's own, with its unit rows, is `SparseAutoencoder`.
public struct SparseDictionary: Sendable, Equatable {
  /// E `[features, width]`.
  public var encoder: Tensor
  /// c `[features]`.
  public var encoderBias: Tensor
  /// D `[features, width]`: what a unit of each feature stands for.
  public var directions: Tensor
  /// b `[width]`.
  public var bias: Tensor
  /// Which activations of a sample stay.
  public var selection: CodeSelection

  /// The number of features.
  public var features: Int { encoder.shape[0] }
  /// The width of the samples.
  public var width: Int { encoder.shape[1] }

  /// A dictionary of the given weights.
  public init(
    encoder: Tensor, encoderBias: Tensor, directions: Tensor, bias: Tensor, selection: CodeSelection = .all
  ) {
    precondition(
      encoder.rank == 2 && directions.shape == encoder.shape && encoderBias.count == encoder.shape[0]
        && bias.count == encoder.shape[1],
      "encoder \(encoder.shape), directions \(directions.shape), biases \(encoderBias.shape) and \(bias.shape)"
    )
    self.encoder = encoder
    self.encoderBias = encoderBias
    self.directions = directions
    self.bias = bias
    self.selection = selection
  }

  /// Random directions of unit length that are both read and written, without biases.
  public init(
    features: Int, width: Int, selection: CodeSelection = .all, generator: inout SeededGenerator
  ) {
    var rows = Tensor(
      (0..<features * width).map { _ in Float(generator.normal()) }, shape: [features, width])
    rows.scaleRowsToUnitLength()
    self.init(
      encoder: rows, encoderBias: Tensor(zeros: [features]), directions: rows, bias: Tensor(zeros: [width]),
      selection: selection)
  }

  /// The activations f of samples `[samples, width]`: `[samples, features]`, none negative.
  public func activations(of samples: Tensor) -> Tensor {
    precondition(samples.shape.last == width, "samples \(samples.shape) for width \(width)")
    var activations = matrixProduct(samples, encoder, transposingB: true)
    activations.addToRows(encoderBias)
    activations.activate(.relu)
    switch selection {
    case .all: break
    case .largest(let count): activations.keepLargestOfRows(count)
    case .above(let threshold): activations.keep(above: threshold)
    }
    return activations
  }

  /// What samples are reconstructed as from their activations.
  public func reconstruction(from activations: Tensor) -> Tensor {
    var samples = matrixProduct(activations, directions)
    samples.addToRows(bias)
    return samples
  }

  /// The dictionary for samples `factor` times as large: activations are that much larger too.
  public func scaled(by factor: Float) -> SparseDictionary {
    var result = self
    result.encoderBias.scale(by: factor)
    result.bias.scale(by: factor)
    if case .above(let threshold) = selection { result.selection = .above(threshold * factor) }
    return result
  }
}

extension Tensor {
  /// Sets all but the `count` largest elements of every row to zero; of equal ones at the cut the first stay.
  public mutating func keepLargestOfRows(_ count: Int) {
    let width = shape.last ?? 1
    guard count < width else { return }
    let base = FloatAddress(mutablePointer())
    parallelRanges(self.count / max(1, width), minimum: 64) { rows in
      var largest = [Float](repeating: 0, count: count)
      for row in rows {
        let values = base.address + row * width
        // The largest so far, in falling order.
        var kept = 0
        for column in 0..<width {
          let value = values[column]
          guard value > 0, kept < count || value > largest[count - 1] else { continue }
          var place = min(kept, count - 1)
          while place > 0, largest[place - 1] < value {
            largest[place] = largest[place - 1]
            place -= 1
          }
          largest[place] = value
          kept = min(kept + 1, count)
        }
        guard kept == count else { continue }
        let cut = largest[count - 1]
        var left = count - largest.prefix { $0 > cut }.count
        for column in 0..<width where values[column] <= cut {
          if values[column] == cut, left > 0 {
            left -= 1
          } else {
            values[column] = 0
          }
        }
      }
    }
  }
}

extension Tensor {
  /// Sets elements that are not above a threshold to zero.
  mutating func keep(above threshold: Float) {
    let base = FloatAddress(mutablePointer())
    parallelRanges(count, minimum: 1 << 14) { range in
      for index in range where base.address[index] <= threshold { base.address[index] = 0 }
    }
  }

  /// Sets all but the `count` largest elements to zero; elements equal to the last of them stay.
  /// - Returns: the smallest that stays; nil where fewer are above zero.
  mutating func keepLargest(_ count: Int) -> Float? {
    var positive = values.filter { $0 > 0 }
    guard positive.count > count, count > 0 else { return positive.min() }
    positive.sort(by: >)
    let least = positive[count - 1]
    keep(above: least.nextDown)
    return least
  }
}
