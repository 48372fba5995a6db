// Processes that each hold some of a table's rows and grow the same trees.

/// Processes that add up what each knows of its own rows, as one of them sees it (XGBoost's distributed mode: histograms
/// summed over workers).
///
/// All of them must ask for the same sums in the same order, from one thread each.
public protocol RowTeam: Sendable {
  /// This process's number, from 0.
  var rank: Int { get }
  /// How many there are.
  var size: Int { get }
  /// The sums over all processes of numbers that each has as many of; all see the same bits.
  func sum(_ values: [Double]) -> [Double]
}

/// A process that holds all rows itself.
public struct LoneProcess: RowTeam {
  /// The only process.
  public init() {}
  /// The first.
  public var rank: Int { 0 }
  /// One.
  public var size: Int { 1 }
  /// The numbers as they are.
  public func sum(_ values: [Double]) -> [Double] { values }
}

extension RowTeam {
  /// Sums of counts, which are exact up to 2⁵³.
  func sum(_ counts: [Int]) -> [Int] {
    size > 1 ? sum(counts.map { Double($0) }).map { Int($0) } : counts
  }

  /// This process's share of so many rows.
  func part(of rows: Int) -> Range<Int> { rows * rank / size..<rows * (rank + 1) / size }
}
