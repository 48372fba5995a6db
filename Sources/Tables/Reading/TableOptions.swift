// What a reader of a table may say about it; everything else is detected.

/// How a text file is read as a table.
public struct TableOptions: Sendable, Equatable {
  /// What stands between cells; nil to detect (comma, tab or semicolon, by the first line).
  public var separator: UInt8?
  /// Whether the first row holds names.
  public var header: Header = .detected
  /// Columns that are categories although their cells look like numbers.
  public var categoricalColumns: Set<String> = []
  /// Columns to leave out.
  public var excludedColumns: Set<String> = []
  /// Texts that mean "missing", besides an empty cell. Compared after blanks around the cell are removed.
  public var missingTexts: Set<String> = [
    "?", "NA", "N/A", "#N/A", "na", "n/a", "NaN", "nan", "null", "NULL",
  ]
  /// Whether the target is classes or a quantity.
  public var task: Task = .detected
  /// A text column with more different texts than this is taken for an identifier and left out.
  public var categoryLimit = 1000

  /// Whether the first row holds names.
  public enum Header: Sendable, Equatable {
    /// Names, unless the first row looks like the others.
    case detected
    /// The first row holds names.
    case present
    /// The first row is data; columns are called `column1`, `column2`, ….
    case absent
  }

  /// What the target is.
  public enum Task: Sendable, Equatable {
    /// Classes where the target is text, or whole numbers of at most 20 different values; else a quantity.
    case detected
    /// Classes.
    case classification
    /// A quantity.
    case regression
  }

  /// Everything detected.
  public init() {}
}
