// If these conditions hold, that outcome: a rule, and how well it holds on rows it was not made from.

import Tables

/// A rule: a box, and what is predicted in it.
public struct Rule: Sendable, Equatable, Codable {
  /// When the rule applies.
  public var box: Box
  /// What it predicts: probabilities of the classes, or one quantity.
  public var prediction: [Double]

  /// A rule.
  public init(box: Box, prediction: [Double]) {
    self.box = box
    self.prediction = prediction
  }
}

/// How well a rule holds on given rows.
public struct RuleQuality: Sendable, Equatable, Codable {
  /// The rows looked at.
  public var rows: Int
  /// The rows that the rule covers.
  public var covered: Int
  /// The covered rows for which the black box says the rule's outcome.
  public var agreeing: Int
  /// The rows, covered or not, for which the black box says the rule's outcome.
  public var outcomeRows: Int

  /// Counts the rows.
  public init(covered: RowSet, outcome: RowSet) {
    rows = covered.rowCount
    self.covered = covered.count
    agreeing = covered.sharedCount(outcome)
    outcomeRows = outcome.count
  }

  /// The share of rows that the rule covers.
  public var coverage: Double { rows == 0 ? 0 : Double(covered) / Double(rows) }

  /// The share of covered rows for which the black box says the rule's outcome; NaN where none is covered.
  public var precision: Double { covered == 0 ? .nan : Double(agreeing) / Double(covered) }

  /// Precision divided by the outcome's share of all rows.
  public var lift: Double {
    outcomeRows == 0 ? .nan : precision * Double(rows) / Double(outcomeRows)
  }

  /// The 95 % Clopper–Pearson bounds on the precision.
  public var precisionBounds: Interval { clopperPearson(successes: agreeing, trials: covered) }

  /// The 95 % Clopper–Pearson bounds on the coverage.
  public var coverageBounds: Interval { clopperPearson(successes: covered, trials: rows) }
}

/// Drops the conditions that a rule can do without.
///
/// Conditions go one at a time, the least needed first, as long as the precision on the given rows does not fall
/// below what it was, and of the rows that come in 95 % have the outcome: else a small leaf of mixed rows would grow into
/// a wide rule that contradicts others.
public func simplified(_ box: Box, outcome: RowSet, in table: Features) -> Box {
  var sets = box.conditions.map { (condition: $0, rows: RowSet($0, in: table)) }
  func quality(without dropped: Int?) -> (precision: Double, covered: Int, agreeing: Int) {
    var covered = RowSet(rowCount: table.rowCount, full: true)
    for (index, set) in sets.enumerated() where index != dropped { covered.formIntersection(set.rows) }
    let (count, agreeing) = (covered.count, covered.sharedCount(outcome))
    return (count == 0 ? 0 : Double(agreeing) / Double(count), count, agreeing)
  }
  let least = quality(without: nil).precision
  while sets.count > 1 {
    let now = quality(without: nil)
    let options = sets.indices.map { (index: $0, quality: quality(without: $0)) }
      .filter {
        let (rows, agreeing) = ($0.quality.covered - now.covered, $0.quality.agreeing - now.agreeing)
        return $0.quality.precision >= least && Double(agreeing) >= 0.95 * Double(rows)
      }
    guard
      let drop = options.max(by: {
        ($0.quality.precision, $0.quality.covered, $1.index) < (
          $1.quality.precision, $1.quality.covered, $0.index
        )
      })
    else { break }
    sets.remove(at: drop.index)
  }
  return Box(sets.map(\.condition))
}
