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
  /// Text columns of too many different values, left out as identifiers.
  public let identifierColumns: [String]
  /// Names that several columns of the file had; the later ones got the endings `.1`, `.2`, ….
  public let repeatedNames: [String]

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
    identifierColumns: [String] = [], repeatedNames: [String] = []
  ) {
    precondition(
      features.rowCount == target.count, "\(features.rowCount) rows with \(target.count) targets")
    self.features = features
    self.target = target
    self.targetName = targetName
    self.rowsWithoutTarget = rowsWithoutTarget
    self.identifierColumns = identifierColumns
    self.repeatedNames = repeatedNames
    duplicateGroups = features.duplicateGroups()
  }

  /// A table of which it is known which rows are copies.
  init(features: Features, target: Target, targetName: String, duplicateGroups: [Int32]) {
    self.features = features
    self.target = target
    self.targetName = targetName
    self.duplicateGroups = duplicateGroups
    rowsWithoutTarget = 0
    identifierColumns = []
    repeatedNames = []
  }
}
