// A table as a model sees it: features, a target, and which rows are copies of one another.

/// Features and their target, read from a file or made by a program.
public struct Table: Sendable, Equatable {
  /// The feature columns.
  public let features: Features
  /// What is to be predicted.
  public let target: Target
  /// The target column's name.
  public let targetName: String
  /// A number per row: rows with the same features have the same number, counted from 0 in order of appearance.
  ///
  /// Splits keep a group on one side, so that a model is never tested on a row it has seen.
  public let duplicateGroups: [Int32]
  /// How many rows of the file were left out because their target is missing.
  public let rowsWithoutTarget: Int
  /// Every column of the file as it was read, in the file's order; empty for a table that a program made.
  public let readings: [ColumnReading]
  /// How the file was laid out; nil for a table that a program made.
  public let layout: TableLayout?
  /// Names that several columns of the file had; the later ones got the endings `.1`, `.2`, ….
  public let repeatedNames: [String]

  /// The columns that were left out because they tell every row from every other, or hold nothing.
  public var identifierColumns: [String] {
    readings.compactMap { reading in
      guard case .leftOut(let reason) = reading.content, reason != .excluded else { return nil }
      return reading.name
    }
  }

  /// Whether the file has no target, and a model's predictions stand in for it.
  public let targetIsPredicted: Bool

  /// The number of rows.
  public var rowCount: Int { features.rowCount }

  /// The number of different feature rows.
  public var distinctRowCount: Int { Int(duplicateGroups.max() ?? -1) + 1 }

  /// How many rows repeat the features of an earlier one.
  public var duplicateRowCount: Int { rowCount - distinctRowCount }

  /// A table from its parts; duplicate rows are found by comparing every cell.
  /// - Precondition: features and target have the same number of rows.
  public init(
    features: Features, target: Target, targetName: String, rowsWithoutTarget: Int = 0,
    repeatedNames: [String] = [], readings: [ColumnReading] = [], layout: TableLayout? = nil,
    targetIsPredicted: Bool = false
  ) {
    precondition(
      features.rowCount == target.count, "\(features.rowCount) rows with \(target.count) targets")
    self.features = features
    self.target = target
    self.targetName = targetName
    self.rowsWithoutTarget = rowsWithoutTarget
    self.repeatedNames = repeatedNames
    self.readings = readings
    self.layout = layout
    self.targetIsPredicted = targetIsPredicted
    duplicateGroups = features.duplicateGroups()
  }

  /// A table of which it is known which rows are copies.
  init(features: Features, target: Target, targetName: String, duplicateGroups: [Int32]) {
    self.features = features
    self.target = target
    self.targetName = targetName
    self.duplicateGroups = duplicateGroups
    rowsWithoutTarget = 0
    repeatedNames = []
    readings = []
    layout = nil
    targetIsPredicted = false
  }

  /// The same table with other classes: those of a model that knows more, or in another order.
  /// - Returns: nil where a class of the table is none of them, or the target is a quantity.
  public func withClasses(_ names: [String]) -> Table? {
    guard case .classes(let labels, let own) = target else { return nil }
    let codes = CategoryCodes(names)
    var places: [Int] = []
    for name in own {
      guard let place = codes[name] else { return nil }
      places.append(place)
    }
    return Table(self, target: .classes(labels.map { places[$0] }, names: names))
  }

  /// Features, by place, that look like row numbers or identifiers.
  public var likelyIdentifiers: Set<Int> {
    Set(
      features.names.indices.filter { place in
        guard features.kinds[place] == .numeric else { return false }
        let cells = features.column(place)
        if areRowNumbers(cells) { return true }
        return namesIdentifiers(features.names[place]) && Set(cells).count == rowCount
      })
  }

  /// The same rows with other features of the same rows.
  /// - Precondition: as many rows.
  public func replacing(features: Features) -> Table {
    precondition(features.rowCount == rowCount, "\(features.rowCount) rows for \(rowCount)")
    return Table(self, features: features, target: target)
  }

  private init(_ other: Table, features: Features? = nil, target: Target) {
    self.features = features ?? other.features
    self.target = target
    targetName = other.targetName
    duplicateGroups = other.duplicateGroups
    rowsWithoutTarget = other.rowsWithoutTarget
    repeatedNames = other.repeatedNames
    readings = other.readings
    layout = other.layout
    targetIsPredicted = other.targetIsPredicted
  }
}

/// How a table's file was laid out.
public struct TableLayout: Sendable, Equatable {
  /// How its letters are stored.
  public var encoding: TextEncoding
  /// What stands between cells.
  public var separator: UInt8
  /// Whether its first row holds names.
  public var hasHeader: Bool

  init(_ columns: ParsedColumns) {
    encoding = columns.encoding
    separator = columns.separator
    hasHeader = columns.hasHeader
  }
}
