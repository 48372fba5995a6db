// What a black box sees: columns of numbers, with categories as indices and missing cells as NaN.

/// How a feature's numbers are to be read.
public enum FeatureKind: Sendable, Equatable, Codable {
  /// A quantity; NaN is missing.
  case numeric
  /// An index into the category names; NaN is missing.
  case categorical([String])
}

/// A matrix of features `[rows, features]`, stored column by column.
public struct Features: Sendable, Equatable {
  /// One name per feature.
  public let names: [String]
  /// One kind per feature.
  public let kinds: [FeatureKind]
  /// The number of rows.
  public let rowCount: Int
  /// Column-major values: feature `j` is `values[j * rowCount ..< (j + 1) * rowCount]`.
  public let values: [Float]

  /// The number of features.
  public var count: Int { names.count }

  /// A matrix from column-major values.
  /// - Precondition: `values.count == names.count * rowCount` and `kinds.count == names.count`.
  public init(names: [String], kinds: [FeatureKind], rowCount: Int, values: [Float]) {
    precondition(
      names.count == kinds.count && values.count == names.count * rowCount,
      "\(values.count) values for \(names.count) features of \(rowCount) rows, \(kinds.count) kinds")
    self.names = names
    self.kinds = kinds
    self.rowCount = rowCount
    self.values = values
  }

  /// One cell.
  public subscript(row: Int, feature: Int) -> Float { values[feature * rowCount + row] }

  /// One feature's values over all rows.
  public func column(_ feature: Int) -> ArraySlice<Float> {
    values[feature * rowCount..<(feature + 1) * rowCount]
  }

  /// One row's values over all features.
  public func row(_ row: Int) -> [Float] {
    (0..<count).map { self[row, $0] }
  }

  /// The given rows, in the given order; a row may be named more than once.
  public func selecting(rows: [Int]) -> Features {
    var selected: [Float] = []
    selected.reserveCapacity(rows.count * count)
    for feature in 0..<count {
      let start = feature * rowCount
      for row in rows { selected.append(values[start + row]) }
    }
    return Features(names: names, kinds: kinds, rowCount: rows.count, values: selected)
  }

  /// The given features, in the given order.
  public func selecting(features: [Int]) -> Features {
    Features(
      names: features.map { names[$0] }, kinds: features.map { kinds[$0] }, rowCount: rowCount,
      values: features.flatMap { column($0) })
  }
}
