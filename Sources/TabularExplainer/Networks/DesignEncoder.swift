// From a table to what a network can read: standardised, imputed, one-hot, row by row; and back from columns to
// features, so that importance is always over what the user's table holds.

import FoundationEssentials
import Tables
import Tensors

/// How one feature becomes columns of a design matrix, learnt from training rows.
///
/// A quantity is centred and divided by its standard deviation, a missing cell becomes 0 (the mean), and where
/// training rows had missing cells a second column says so. A category becomes one column a known category, minus
/// that category's share; unknown and missing categories are 0 everywhere, the average. So 0 always means "as in the
/// average training row", which makes the row of zeros the baseline of every attribution.
public struct DesignEncoder: Sendable, Equatable, Codable {
  /// The features' names, in the order of the training table.
  public let featureNames: [String]
  /// The features' kinds; category indices refer to these names.
  public let featureKinds: [FeatureKind]
  /// The design columns of every feature, in order and without gaps.
  public let columns: [Range<Int>]
  private let encodings: [Encoding]

  fileprivate enum Encoding: Sendable, Equatable, Codable {
    case quantity(mean: Float, scale: Float, missingShare: Float?)
    case category(shares: [Float])
  }

  /// The number of design columns.
  public var columnCount: Int { columns.last?.upperBound ?? 0 }

  /// Whether names, kinds, columns and encodings fit together, in an encoder that came from a file.
  var isSound: Bool {
    guard featureNames.count == featureKinds.count, columns.count == featureNames.count,
      encodings.count == featureNames.count
    else { return false }
    var next = 0
    for (range, encoding) in zip(columns, encodings) {
      guard range.lowerBound == next, range.count == encoding.width else { return false }
      next = range.upperBound
    }
    return true
  }

  /// Learns means, deviations and shares from training rows.
  public init(fitting features: Features) {
    featureNames = features.names
    featureKinds = features.kinds
    var encodings: [Encoding] = []
    var columns: [Range<Int>] = []
    for feature in 0..<features.count {
      let values = features.column(feature)
      let encoding: Encoding =
        switch features.kinds[feature] {
        case .numeric: Self.quantity(values.map { features.scales[feature]?.value(of: $0) ?? Double($0) })
        case .categorical(let names): Self.category(values, count: names.count)
        }
      let start = columns.last?.upperBound ?? 0
      columns.append(start..<start + encoding.width)
      encodings.append(encoding)
    }
    self.encodings = encodings
    self.columns = columns
  }

  private static func quantity(_ values: [Double]) -> Encoding {
    var (sum, present) = (0.0, 0)
    for value in values where value.isFinite { (sum, present) = (sum + value, present + 1) }
    let mean = present > 0 ? sum / Double(present) : 0
    var squares = 0.0
    for value in values where value.isFinite { squares += (value - mean) * (value - mean) }
    let deviation = present > 0 ? (squares / Double(present)).squareRoot() : 0
    // A constant column carries nothing; what differs from it later is kept at its own scale.
    let scale = deviation > 1e-12 * max(1, abs(mean)) ? 1 / deviation : 1
    let missing = values.count - present
    return .quantity(
      mean: Float(mean), scale: Float(scale),
      missingShare: missing > 0 ? Float(missing) / Float(values.count) : nil)
  }

  private static func category(_ values: [Float], count: Int) -> Encoding {
    var counts = [Int](repeating: 0, count: count)
    for value in values where value >= 0 && value < Float(count) { counts[Int(value)] += 1 }
    let total = max(1, counts.reduce(0, +))
    return .category(shares: counts.map { Float($0) / Float(total) })
  }

  /// The design matrix of a table that holds the training features under any order of columns.
  /// - Returns: shape `[rows, columnCount]`.
  /// - Throws: `TableError` where a feature is not there or has another kind.
  public func encode(_ features: Features) throws(TableError) -> Tensor {
    let aligned = try features.aligned(to: featureNames, kinds: featureKinds)
    let (rows, width) = (aligned.rowCount, columnCount)
    var design = [Float](repeating: 0, count: rows * width)
    // Tiles of 64 rows: writing down a column of a wide row-major matrix would miss the cache at every step.
    for tile in stride(from: 0, to: rows, by: 64) {
      for feature in 0..<aligned.count {
        let values = aligned.column(feature)
        let numbers = aligned.scales[feature]
        let first = columns[feature].lowerBound
        for row in tile..<min(tile + 64, rows) {
          let value = values[values.startIndex + row]
          let cell = row * width + first
          switch encodings[feature] {
          case .quantity(let mean, let scale, let missingShare):
            // Beyond 30 standard deviations a number says no more than "far out", and may overflow a product.
            if value.isFinite {
              let distance = numbers.map { Float($0.value(of: value) - Double(mean)) } ?? value - mean
              design[cell] = min(max(distance * scale, -30), 30)
            }
            if let missingShare { design[cell + 1] = (value.isFinite ? 0 : 1) - missingShare }
          case .category(let shares):
            guard value >= 0, value < Float(shares.count) else { continue }
            for category in shares.indices { design[cell + category] = -shares[category] }
            design[cell + Int(value)] += 1
          }
        }
      }
    }
    return Tensor(design, shape: [rows, width])
  }

  /// Sums over each feature's design columns: `[rows, columnCount]` → `[rows, features]`.
  public func featureSums(_ design: Tensor) -> Tensor {
    precondition(
      design.rank == 2 && design.shape[1] == columnCount, "\(design.shape) for \(columnCount) columns")
    let (rows, width) = (design.shape[0], columnCount)
    return Tensor(shape: [rows, columns.count]) { target in
      design.withValues { source in
        for row in 0..<rows {
          for (feature, range) in columns.enumerated() {
            var sum: Float = 0
            for column in range { sum += source[row * width + column] }
            target[row * columns.count + feature] = sum
          }
        }
      }
    }
  }
}

extension DesignEncoder.Encoding {
  fileprivate var width: Int {
    switch self {
    case .quantity(_, _, let missingShare): missingShare == nil ? 1 : 2
    case .category(let shares): shares.count
    }
  }
}
