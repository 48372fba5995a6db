// What a reader of a table may say about it; everything else is detected.

/// How a text file is read as a table.
public struct TableOptions: Sendable, Equatable {
  /// What stands between cells; nil to detect (comma, tab, semicolon, bar or blanks, by the first lines). A blank
  /// stands for any number of blanks and tabs.
  public var separator: UInt8?
  /// Whether the first row holds names.
  public var header: Header = .detected
  /// Columns that are categories although their cells look like numbers.
  public var categoricalColumns: Set<String> = []
  /// Columns to leave out.
  public var excludedColumns: Set<String> = []
  /// Columns that are features even where they look like identifiers or row numbers.
  public var keptColumns: Set<String> = []
  /// Whether columns are named as a program declares them all, so that some may need no option.
  public var declaresColumns = false
  /// Texts that mean "missing", besides an empty cell: those of pandas, and "?". Compared after blanks around the cell
  /// are removed.
  public var missingTexts: Set<String> = TableOptions.usualMissingTexts
  /// Further texts that mean "missing"; one that is a number means every spelling of it. Each must stand in some cell.
  public var furtherMissingTexts: [String] = []
  /// Whether the target is classes or a quantity.
  public var task: Task = .detected
  /// A text column with more different texts than this is left out.
  public var categoryLimit = 1000
  /// What happens to columns that tell every row from every other.
  public var identifiers: Identifiers = .leftOut
  /// What becomes of dates.
  public var dates: Dates = .withParts
  /// Which columns keep the doubles that were read.
  public var precision: Precision = .whereValuesMerge

  /// What the texts of a missing cell are unless more are named.
  public static let usualMissingTexts: Set<String> = [
    "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null", "na",
  ]

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

  /// What happens to columns that tell every row from every other: row numbers, identifiers, nearly unique texts.
  public enum Identifiers: Sendable, Equatable {
    /// They are no features.
    case leftOut
    /// They are features: a given model may have been fitted to them.
    case kept
  }

  /// What becomes of a column of dates.
  public enum Dates: Sendable, Equatable {
    /// One number.
    case asNumbers
    /// One number, and month, day of the week and hour as features of their own where they vary.
    case withParts
    /// One number, and those parts whose names are among these, as a given model was fitted to them.
    case partsNamed(Set<String>)
  }

  /// Which columns keep the doubles that were read, see `ExactScale`.
  public enum Precision: Sendable, Equatable {
    /// Those in which different doubles are the same float32.
    case whereValuesMerge
    /// All whose doubles cannot be told again from float32: for models that compare in double precision.
    case exact
    /// None: for columns of which no more than some bins are kept.
    case float32
  }

  /// Everything detected.
  public init() {}
}
