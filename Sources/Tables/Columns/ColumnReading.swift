// What was understood of each column of a file, for people to check.

/// One column of a file, as it was read.
public struct ColumnReading: Sendable, Equatable {
  /// What a column holds.
  public enum Content: Sendable, Equatable {
    /// Numbers, in some form.
    case numbers(NumberForm)
    /// Categories, so many different ones.
    case categories(Int)
    /// Not a feature.
    case leftOut(Reason)
  }

  /// Why a column is no feature.
  public enum Reason: Sendable, Equatable {
    /// An option says so.
    case excluded
    /// It numbers the rows.
    case rowNumbers
    /// Nearly every row has a number of its own, and the name says that it is one.
    case identifier
    /// Text of which nearly every row has its own: so many different ones in so many cells.
    case uniqueTexts(different: Int, cells: Int)
    /// No cell holds anything.
    case empty
  }

  /// Something that a reader of the table should know.
  public enum Remark: Sendable, Equatable {
    /// The decimal mark is a comma.
    case decimalCommas
    /// Thousands are marked.
    case groups
    /// Numbers below zero are written in brackets.
    case brackets
    /// A comma before three digits may be a decimal mark or a mark of thousands.
    case ambiguousCommas(readAsDecimal: Bool)
    /// Day and month could be the other way round.
    case ambiguousDates(dayIsFirst: Bool)
    /// Numbers and texts stand side by side, and are categories.
    case mixed(number: String, text: String)
    /// A few texts among numbers are read as missing.
    case strays([String], cells: Int, line: Int)
    /// So many different numbers are the same as float32 and are kept apart by stand-ins.
    case fine
    /// Parts of the date were added as features.
    case parts([String])
  }

  /// The column's name.
  public var name: String
  /// What it holds.
  public var content: Content
  /// How many of its cells are missing.
  public var missing: Int
  /// What should be known of it.
  public var remarks: [Remark]

  /// A column as it was read.
  public init(name: String, content: Content, missing: Int, remarks: [Remark] = []) {
    self.name = name
    self.content = content
    self.missing = missing
    self.remarks = remarks
  }
}
