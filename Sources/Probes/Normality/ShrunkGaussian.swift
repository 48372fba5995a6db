// A multivariate normal distribution whose covariance was shrunk, and distances from it.

import Tensors

/// A normal distribution of rows, with the covariance shrunk towards a multiple of the identity by Ledoit and Wolf's rule
/// (2004, “A well-conditioned estimator for large-dimensional covariance matrices”).
///
/// The score of a row is its squared Mahalanobis distance; of normal rows it follows χ² with as many degrees of freedom as
/// components, where there are many more rows than columns (Rippel et al. 2020, arXiv 2005.14140).
public struct ShrunkGaussian: Sendable, Equatable {
  /// The mean row.
  public let mean: [Double]
  /// Variances along the components, in rising order.
  public let variances: [Double]
  /// The components, one a row `[component, width]`, in the order of `variances`.
  public let components: DoubleMatrix
  /// The variance in every direction that no component has, where rows were fewer than columns; nil where such directions
  /// do not count.
  public let restVariance: Double?
  /// How far the covariance was shrunk, from 0 to 1.
  public let shrinkage: Double

  /// The length of a row.
  public var width: Int { mean.count }
  /// Degrees of freedom: the number of directions that count.
  public var freedom: Int { restVariance == nil ? variances.count : width }

  /// A distribution of known parts.
  public init(
    mean: [Double], variances: [Double], components: DoubleMatrix, restVariance: Double? = nil,
    shrinkage: Double
  ) {
    precondition(components.rows == variances.count && components.columns == mean.count)
    self.mean = mean
    self.variances = variances
    self.components = components
    self.restVariance = restVariance
    self.shrinkage = shrinkage
  }

  /// Fits rows, of which there must be at least two.
  ///
  /// - Parameter least: keep only this many components, those of least variance, which tell what is unusual best (Rippel
  ///   et al. 2020, section III); all unless given.
  public init(_ rows: DoubleMatrix, leastComponents least: Int? = nil) {
    if least == nil, rows.rows < rows.columns {
      self.init(few: rows)
      return
    }
    let covariance = ShrunkCovariance(of: rows)
    let found = SymmetricEigenvectors(of: covariance.matrix)
    let kept = min(rows.columns, max(1, least ?? rows.columns))
    let floor = Self.leastVariance(beside: found.values.last ?? 0)
    self.init(
      mean: covariance.mean, variances: found.values.prefix(kept).map { max($0, floor) },
      components: found.vectors.selected(Array(0..<kept)), shrinkage: covariance.shrinkage)
  }

  /// The same fit where rows are fewer than columns: directions that rows do not show have one variance, the shrinkage's.
  private init(few rows: DoubleMatrix) {
    let mean = rows.meanRow
    let centred = rows.shifted(by: mean)
    var gram = doubleProduct(centred, centred, transposingB: true)
    let count = Double(max(1, rows.rows))
    let lengths = (0..<rows.rows).map { gram.values[$0 * rows.rows + $0] }
    for place in gram.values.indices { gram.values[place] /= count }
    let found = SymmetricEigenvectors(of: gram)
    let trace = lengths.reduce(0, +) / count
    // Eigenvalues of XXᵀ and XᵀX are the same but for zeros.
    let shrinkage = ShrunkCovariance.shrinkage(
      squaredLengths: lengths, trace: trace, squares: gram.values.reduce(0) { $0 + $1 * $1 },
      width: rows.columns)
    let middle = trace / Double(max(1, rows.columns))
    let largest = (1 - shrinkage) * (found.values.last ?? 0) + shrinkage * middle
    let floor = Self.leastVariance(beside: largest)
    let kept = found.values.indices.filter { found.values[$0] > 1e-12 * (found.values.last ?? 0) }
    var directions = doubleProduct(found.vectors.selected(kept), centred)
    for (place, index) in kept.enumerated() {
      let factor = 1 / (found.values[index] * count).squareRoot()
      for column in 0..<directions.columns {
        directions.values[place * directions.columns + column] *= factor
      }
    }
    self.init(
      mean: mean, variances: kept.map { max(floor, (1 - shrinkage) * found.values[$0] + shrinkage * middle) },
      components: directions, restVariance: max(floor, shrinkage * middle), shrinkage: shrinkage)
  }

  /// What a direction without any variance is taken to have, so that what differs there is unusual, not infinitely so.
  private static func leastVariance(beside largest: Double) -> Double {
    max(.leastNormalMagnitude, 1e-12 * largest)
  }

  /// The squared Mahalanobis distance of each row.
  public func scores(_ rows: DoubleMatrix) -> [Double] {
    let centred = rows.shifted(by: mean)
    let products = doubleProduct(centred, components, transposingB: true)
    return (0..<rows.rows).map { row in
      let own = products.row(row)
      let score = zip(own, variances).reduce(0) { $0 + $1.0 * $1.0 / $1.1 }
      guard let restVariance else { return score }
      let rest = centred.row(row).reduce(0) { $0 + $1 * $1 } - own.reduce(0) { $0 + $1 * $1 }
      return score + max(0, rest) / restVariance
    }
  }
}

/// The covariance of rows, shrunk.
public struct ShrunkCovariance: Sendable, Equatable {
  /// The mean row.
  public let mean: [Double]
  /// The shrunk covariance, square.
  public let matrix: DoubleMatrix
  /// The share of the identity, from 0 to 1.
  public let shrinkage: Double

  /// The covariance of rows, with scikit-learn's divisor: the number of rows.
  public init(of rows: DoubleMatrix) {
    let (count, width) = (Double(max(1, rows.rows)), rows.columns)
    mean = rows.meanRow
    let centred = rows.shifted(by: mean)
    var covariance = doubleProduct(centred, transposingA: true, centred)
    for place in covariance.values.indices { covariance.values[place] /= count }
    let trace = (0..<width).reduce(0.0) { $0 + covariance.values[$1 * width + $1] }
    shrinkage = Self.shrinkage(
      squaredLengths: (0..<rows.rows).map { centred.row($0).reduce(0) { $0 + $1 * $1 } }, trace: trace,
      squares: covariance.values.reduce(0) { $0 + $1 * $1 }, width: width)
    let middle = trace / Double(max(1, width))
    for place in covariance.values.indices { covariance.values[place] *= 1 - shrinkage }
    for column in 0..<width { covariance.values[column * width + column] += shrinkage * middle }
    matrix = covariance
  }

  /// Ledoit and Wolf's share of the identity.
  /// - Parameters:
  ///   - squaredLengths: of each centred row.
  ///   - trace: of the covariance.
  ///   - squares: the sum of the covariance's squared elements.
  static func shrinkage(squaredLengths: [Double], trace: Double, squares: Double, width: Int) -> Double {
    let (count, size) = (Double(max(1, squaredLengths.count)), Double(max(1, width)))
    let middle = trace / size
    // Σᵢⱼ Σₖ xₖᵢ² xₖⱼ² = Σₖ (Σᵢ xₖᵢ²)².
    let fourth = squaredLengths.reduce(0) { $0 + $1 * $1 }
    let noise = (fourth / count - squares) / (size * count)
    let distance = (squares - 2 * middle * trace + size * middle * middle) / size
    guard noise > 0, distance > 0 else { return 0 }
    return min(noise, distance) / distance
  }
}
