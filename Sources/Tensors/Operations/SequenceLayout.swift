// Which rows of a packed matrix belong to which sequence.

/// Sequences of tokens packed into the rows of one matrix, without padding.
///
/// A sequence's own rows are consecutive. It may begin with rows of an earlier sequence: a prefix that both share and
/// that is computed once.
public struct SequenceLayout: Sendable, Equatable {
  /// The rows of one sequence.
  public struct Sequence: Sendable, Equatable {
    /// The row of every position.
    public var rows: [Int32]
    /// The first position whose row is this sequence's own; earlier ones are shared.
    public var firstOwned: Int

    /// Number of positions.
    public var length: Int { rows.count }

    var isConsecutive: Bool {
      guard let first = rows.first, let last = rows.last else { return true }
      return Int(last - first) == rows.count - 1
    }
  }

  /// The sequences in order.
  public private(set) var sequences: [Sequence] = []
  /// The position within its sequence of every row.
  public private(set) var positions: [Int32] = []

  /// Number of rows.
  public var rowCount: Int { positions.count }

  /// The longest sequence's length.
  public var longest: Int { sequences.map(\.length).max() ?? 0 }

  /// An empty layout.
  public init() {}

  /// A layout of separate sequences of the given lengths.
  public init(lengths: [Int]) {
    for length in lengths { append(shared: [], ownedCount: length) }
  }

  /// Adds a sequence that begins with rows that exist already, followed by new rows of its own.
  public mutating func append(shared: ArraySlice<Int32>, ownedCount: Int) {
    let start = Int32(rowCount)
    sequences.append(
      Sequence(rows: Array(shared) + (start..<start + Int32(ownedCount)), firstOwned: shared.count))
    positions.append(contentsOf: Int32(shared.count)..<Int32(shared.count + ownedCount))
  }
}
