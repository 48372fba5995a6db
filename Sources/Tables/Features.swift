// What a black box sees: columns of numbers, with categories as indices and missing cells as NaN.

import Tensors

/// How a feature's numbers are to be read.
public enum FeatureKind: Sendable, Equatable, Codable {
  /// A quantity; NaN is missing.
  case numeric
  /// An index into the category names; NaN is missing.
  case categorical([String])
}

/// A matrix of features `[rows, features]`, stored column by column.
///
/// A choice of rows shares its table's cells: a wide table is too large to copy for each use of a part of its rows.
public struct Features: Sendable {
  /// One name per feature.
  public let names: [String]
  /// One kind per feature.
  public let kinds: [FeatureKind]
  /// The number of rows.
  public let rowCount: Int
  /// How the numbers of a feature are written, where not as plain numbers; by feature.
  public let forms: [Int: NumberForm]
  /// The doubles behind a feature's cells, where float32 does not tell them; by feature.
  public let scales: [Int: ExactScale]
  /// Column-major cells of the stored table, `[features, stored rows]`.
  private let cells: [Float]
  private let storedRowCount: Int
  /// Where each row lies in the stored table; nil where the rows are all of it, in order.
  private let places: [Int32]?

  /// The number of features.
  public var count: Int { names.count }

  /// A matrix from column-major values: feature `j` is `values[j * rowCount ..< (j + 1) * rowCount]`.
  /// - Precondition: `values.count == names.count * rowCount` and `kinds.count == names.count`.
  public init(
    names: [String], kinds: [FeatureKind], rowCount: Int, values: [Float], forms: [Int: NumberForm] = [:],
    scales: [Int: ExactScale] = [:]
  ) {
    precondition(
      names.count == kinds.count && values.count == names.count * rowCount && rowCount <= Int32.max,
      "\(values.count) values for \(names.count) features of \(rowCount) rows, \(kinds.count) kinds")
    self.init(
      names: names, kinds: kinds, rowCount: rowCount, forms: forms, scales: scales, cells: values,
      storedRowCount: rowCount, places: nil)
  }

  private init(
    names: [String], kinds: [FeatureKind], rowCount: Int, forms: [Int: NumberForm], scales: [Int: ExactScale],
    cells: [Float], storedRowCount: Int, places: [Int32]?
  ) {
    self.names = names
    self.kinds = kinds
    self.rowCount = rowCount
    self.forms = forms
    self.scales = scales
    self.cells = cells
    self.storedRowCount = storedRowCount
    self.places = places
  }

  /// One cell.
  public subscript(row: Int, feature: Int) -> Float {
    cells[feature * storedRowCount + (places.map { Int($0[row]) } ?? row)]
  }

  /// One feature's values over all rows.
  public func column(_ feature: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: rowCount) { column, initialized in
      initialized = rowCount
      guard let target = column.baseAddress else { return }
      withCells { $0.copy(feature, rowCount: rowCount, to: target) }
    }
  }

  /// One row's values over all features.
  public func row(_ row: Int) -> [Float] {
    (0..<count).map { self[row, $0] }
  }

  /// All values, column-major; a copy where the rows are a choice from a table.
  public var values: [Float] {
    guard places != nil else { return cells }
    var values: [Float] = []
    values.reserveCapacity(rowCount * count)
    for feature in 0..<count { values += column(feature) }
    return values
  }

  /// Calls `body` with the cells where they lie.
  public func withCells<Result>(_ body: (FeatureCells) throws -> Result) rethrows -> Result {
    try cells.withUnsafeBufferPointer { cells in
      try (places ?? []).withUnsafeBufferPointer { list in
        try body(
          FeatureCells(
            base: cells.baseAddress ?? UnsafePointer(noCells.base), storedRowCount: storedRowCount,
            places: places == nil ? nil : list.baseAddress))
      }
    }
  }

  /// The given rows, in the given order; a row may be named more than once. Cells are shared, not copied.
  public func selecting(rows: [Int]) -> Features {
    let chosen = rows.map { row in
      precondition((0..<rowCount).contains(row), "row \(row) of \(rowCount)")
      return places?[row] ?? Int32(row)
    }
    return Features(
      names: names, kinds: kinds, rowCount: rows.count, forms: forms, scales: scales, cells: cells,
      storedRowCount: storedRowCount, places: chosen)
  }

  /// Other rows of the same features: `values` is column-major, as in `init`.
  public func replacing(rowCount: Int, values: [Float]) -> Features {
    Features(names: names, kinds: kinds, rowCount: rowCount, values: values, forms: forms, scales: scales)
  }

  /// The value of a cell in double precision, as it stood in the file where the cell is one of the file's.
  public func exactValue(_ cell: Float, of feature: Int) -> Double {
    scales[feature]?.value(of: cell) ?? decimalValue(cell)
  }

  /// The cell that stands for a value of a feature.
  public func cell(for value: Double, of feature: Int) -> Float {
    scales[feature]?.standIn(for: value) ?? Float(value)
  }

  /// The given features, in the given order.
  public func selecting(features: [Int]) -> Features {
    Features(
      names: features.map { names[$0] }, kinds: features.map { kinds[$0] }, rowCount: rowCount,
      values: features.flatMap { column($0) }, forms: Self.moved(forms, to: features),
      scales: Self.moved(scales, to: features))
  }

  /// What is known of features, for a choice of them.
  static func moved<Value>(_ known: [Int: Value], to features: [Int]) -> [Int: Value] {
    guard !known.isEmpty else { return [:] }
    var moved: [Int: Value] = [:]
    for (place, feature) in features.enumerated() { moved[place] = known[feature] }
    return moved
  }
}

extension Features: Equatable {
  /// Whether names, kinds and all cells are equal, wherever the cells lie.
  public static func == (left: Features, right: Features) -> Bool {
    left.names == right.names && left.kinds == right.kinds && left.rowCount == right.rowCount
      && left.forms == right.forms && left.scales == right.scales
      && (0..<left.count).allSatisfy { left.column($0) == right.column($0) }
  }
}

/// The double of the shortest decimal for a float: what stood in the file, where float32 suffices for the column.
public func decimalValue(_ cell: Float) -> Double {
  if cell.isNaN { return .nan }
  return cell == cell.rounded() && abs(cell) < 0x1p24 ? Double(cell) : Double("\(cell)") ?? Double(cell)
}
