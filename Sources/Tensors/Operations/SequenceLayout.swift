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
    /// Where a text goes on in several ways: the places of each continuation, behind the trunk that all have.
    public var branches: [Range<Int>] = []

    /// Number of rows.
    public var length: Int { rows.count }

    /// The tokens of the longest text: the trunk and its longest continuation.
    public var textLength: Int { branches.map { trunk + $0.count }.max() ?? length }

    /// How many rows all continuations have before them.
    var trunk: Int { branches.first?.lowerBound ?? length }

    /// The position in its text of a row.
    func position(ofRow index: Int) -> Int {
      guard let branch = branches.first(where: { $0.contains(index) }) else { return index }
      return trunk + index - branch.lowerBound
    }

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

  /// The longest sequence's number of rows.
  public var longest: Int { sequences.map(\.length).max() ?? 0 }

  /// The longest text's number of tokens.
  public var longestText: Int { sequences.map(\.textLength).max() ?? 0 }

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

  /// Adds a sequence whose text goes on in several ways, which do not see each other.
  /// - Parameter branches: the number of tokens of each continuation.
  public mutating func append(trunk: Int, branches: [Int]) {
    let start = Int32(rowCount)
    var sequence = Sequence(rows: [], firstOwned: 0)
    var end = trunk
    for count in branches {
      sequence.branches.append(end..<end + count)
      end += count
    }
    sequence.rows = Array(start..<start + Int32(end))
    sequences.append(sequence)
    positions += (0..<end).map { Int32(sequence.position(ofRow: $0)) }
  }
}
