// A multivariate normal distribution whose covariance was shrunk, and distances from it.

import Tensors

/// A normal distribution of rows, with the covariance shrunk towards a multiple of the identity by Ledoit and Wolf's rule
/// (2004, “A well-conditioned estimator for large-dimensional covariance matrices”).
///
/// The score of a row is its squared Mahalanobis distance; of normal rows it follows χ² with as many degrees of freedom as
/// components (Rippel et al. 2020, arXiv 2005.14140).
public struct ShrunkGaussian: Sendable, Equatable {
  /// The mean row.
  public let mean: [Double]
  /// Variances along the components, in rising order.
  public let variances: [Double]
  /// The components, one a row `[component, width]`, in the order of `variances`.
  public let components: Tensor
  /// How far the covariance was shrunk, from 0 to 1.
  public let shrinkage: Double

  /// The length of a row.
  public var width: Int { mean.count }
  /// Degrees of freedom: the number of components.
  public var freedom: Int { variances.count }

  /// A distribution of known parts.
  public init(mean: [Double], variances: [Double], components: Tensor, shrinkage: Double) {
    precondition(components.shape == [variances.count, mean.count])
    self.mean = mean
    self.variances = variances
    self.components = components
    self.shrinkage = shrinkage
  }

  /// Fits rows `[rows, width]`, of which there must be at least two.
  /// - Parameter least: keep only this many components, those of least variance, which tell what is unusual best (Rippel
  ///   et al. 2020, section III); all unless given.
  public init(_ rows: Tensor, leastComponents least: Int? = nil) {
    let (count, width) = (rows.shape[0], rows.shape[1])
    let values = rows.values
    var mean = [Double](repeating: 0, count: width)
    for row in 0..<count {
      for column in 0..<width { mean[column] += Double(values[row * width + column]) }
    }
    for column in 0..<width { mean[column] /= Double(max(1, count)) }
    var centred = [Double](repeating: 0, count: count * width)
    for row in 0..<count {
      for column in 0..<width {
        centred[row * width + column] = Double(values[row * width + column]) - mean[column]
      }
    }
    var covariance = gram(centred, rows: count, width: width)
    let shrinkage = ledoitWolfShrinkage(centred, covariance, rows: count, width: width)
    let middle = (0..<width).reduce(0.0) { $0 + covariance[$1 * width + $1] } / Double(max(1, width))
    for place in covariance.indices { covariance[place] *= 1 - shrinkage }
    for column in 0..<width { covariance[column * width + column] += shrinkage * middle }
    let found = symmetricEigenvectors(covariance, width: width)
    let kept = min(width, max(1, least ?? width))
    self.init(
      mean: mean, variances: Array(found.values.prefix(kept)).map { max($0, .leastNormalMagnitude) },
      components: Tensor(found.vectors.prefix(kept * width).map { Float($0) }, shape: [kept, width]),
      shrinkage: shrinkage)
  }

  /// The squared Mahalanobis distance of each row `[rows, width]`.
  public func scores(_ rows: Tensor) -> [Double] {
    let (count, width) = (rows.shape[0], self.width)
    let values = rows.values
    let components = components.values
    return parallelMap(count) { row in
      let centred = (0..<width).map { Double(values[row * width + $0]) - mean[$0] }
      return variances.indices.reduce(0.0) { sum, component in
        var product = 0.0
        for column in 0..<width { product += centred[column] * Double(components[component * width + column]) }
        return sum + product * product / variances[component]
      }
    }
  }
}

/// XᵀX / rows of a matrix of centred rows.
func gram(_ centred: [Double], rows: Int, width: Int) -> [Double] {
  var product = [Double](repeating: 0, count: width * width)
  for row in 0..<rows {
    for first in 0..<width {
      let value = centred[row * width + first]
      guard value != 0 else { continue }
      for second in 0...first { product[first * width + second] += value * centred[row * width + second] }
    }
  }
  let share = 1 / Double(max(1, rows))
  for first in 0..<width {
    for second in 0...first {
      product[first * width + second] *= share
      product[second * width + first] = product[first * width + second]
    }
  }
  return product
}

/// Ledoit and Wolf's share of the identity, for centred rows and their covariance.
func ledoitWolfShrinkage(_ centred: [Double], _ covariance: [Double], rows: Int, width: Int) -> Double {
  let (count, size) = (Double(max(1, rows)), Double(max(1, width)))
  let trace = (0..<width).reduce(0.0) { $0 + covariance[$1 * width + $1] }
  let middle = trace / size
  // Σᵢⱼ Σₖ xₖᵢ² xₖⱼ² = Σₖ (Σᵢ xₖᵢ²)².
  var fourth = 0.0
  for row in 0..<rows {
    var square = 0.0
    for column in 0..<width { square += centred[row * width + column] * centred[row * width + column] }
    fourth += square * square
  }
  let squares = covariance.reduce(0.0) { $0 + $1 * $1 }
  let noise = (fourth / count - squares) / (size * count)
  let distance = (squares - 2 * middle * trace + size * middle * middle) / size
  guard noise > 0, distance > 0 else { return 0 }
  return min(noise, distance) / distance
}
