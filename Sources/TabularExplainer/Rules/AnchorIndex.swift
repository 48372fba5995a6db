// Every condition that an anchor may use, with the rows that meet it: made once, used for every explained row.

import Tables

/// Conditions on some features and the rows of a reference table that meet them.
///
/// The search over them is after Ribeiro et al. 2018 (Anchors), with two differences: precision and coverage are
/// counted exactly over the data's own rows instead of being estimated by sampling, and bounds are cuts of the data.
public struct AnchorIndex: Sendable {
  struct NumericFeature: Sendable {
    var cuts: [Float]
    /// For every cut the rows at most there.
    var atMost: [RowSet]
    /// The rows where the cell is there.
    var known: RowSet
  }

  enum Feature: Sendable {
    case numeric(NumericFeature)
    /// For every category its rows.
    case categorical([RowSet])
  }

  let features: [(index: Int, content: Feature, missing: RowSet)]
  let rowCount: Int
  private let outcomeRows: [RowSet]

  /// Prepares conditions on the chosen features.
  ///
  /// - Parameters:
  ///   - table: the reference rows.
  ///   - chosen: the features that anchors may use.
  ///   - outcomes: what the black box says of every reference row (out of bag, where it was fitted to them).
  ///   - outcomeCount: the number of outcomes.
  ///   - extraCuts: bounds to offer besides the quantiles, by feature: a surrogate's thresholds.
  ///   - cutsPerFeature: how many quantiles a numeric feature is cut at.
  public init(
    _ table: Features, using chosen: [Int], outcomes: [Int], outcomeCount: Int,
    extraCuts: [Int: [Float]] = [:], cutsPerFeature: Int = 15
  ) {
    let rows = table.rowCount
    rowCount = rows
    features = chosen.map { feature in
      let column = table.column(feature)
      let missing = RowSet(rowCount: rows) { column[$0].isNaN }
      if case .categorical(let names) = table.kinds[feature] {
        let sets = names.indices.map { category in
          RowSet(rowCount: rows) { column[$0] == Float(category) }
        }
        return (feature, .categorical(sets), missing)
      }
      let cuts = Self.cuts(column, count: cutsPerFeature, extra: extraCuts[feature] ?? [])
      let numeric = NumericFeature(
        cuts: cuts, atMost: cuts.map { cut in RowSet(rowCount: rows) { column[$0] <= cut } },
        known: RowSet(rowCount: rows, full: true).subtracting(missing))
      return (feature, .numeric(numeric), missing)
    }
    outcomeRows = (0..<outcomeCount).map { outcome in RowSet(rowCount: rows) { outcomes[$0] == outcome } }
  }

  private static func cuts(_ column: [Float], count: Int, extra: [Float]) -> [Float] {
    let sorted = column.filter { !$0.isNaN }.sorted()
    guard let first = sorted.first, let last = sorted.last, first < last else { return [] }
    var cuts = extra.filter { $0 >= first && $0 < last }
    for part in 1...max(count, 1) {
      let place = sorted.count * part / (count + 1)
      let value = sorted[min(place, sorted.count - 1)]
      // The value itself may be the smallest; the cut lies between it and its successor.
      if let next = sorted[place...].first(where: { $0 > value }) {
        cuts.append(shortestNumber(from: value, below: next))
      }
    }
    return Set(cuts).sorted()
  }

  /// The reference rows of an outcome.
  public func rows(of outcome: Int) -> RowSet { outcomeRows[outcome] }

  /// The conditions that a row meets, each with the reference rows that meet it too.
  func literals(_ value: (Int) -> Float) -> [(condition: Condition, rows: RowSet)] {
    var literals: [(condition: Condition, rows: RowSet)] = []
    for (index, content, missing) in features {
      let cell = value(index)
      if cell.isNaN {
        let nothing: Condition.Demand =
          if case .numeric = content { .range(above: .infinity, atMost: -.infinity) } else { .categories([]) }
        literals.append((Condition(feature: index, demand: nothing, acceptsMissing: true), missing))
        continue
      }
      switch content {
      case .categorical(let sets):
        guard sets.indices.contains(Int(cell)) else { continue }
        if sets.count > 2 {
          for other in sets.indices where other != Int(cell) {
            let rest = sets.indices.filter { $0 != other }
            let known = RowSet(rowCount: rowCount, full: true).subtracting(missing)
            literals.append(
              (
                Condition(feature: index, demand: .categories(rest), acceptsMissing: false),
                known.subtracting(sets[other])
              ))
          }
        }
        literals.append(
          (
            Condition(feature: index, demand: .categories([Int(cell)]), acceptsMissing: false),
            sets[Int(cell)]
          ))
      case .numeric(let numeric):
        for (cut, rows) in zip(numeric.cuts, numeric.atMost) {
          if cell <= cut {
            let demand = Condition.Demand.range(above: -.infinity, atMost: cut)
            literals.append((Condition(feature: index, demand: demand, acceptsMissing: false), rows))
          } else {
            let demand = Condition.Demand.range(above: cut, atMost: .infinity)
            literals.append(
              (
                Condition(feature: index, demand: demand, acceptsMissing: false),
                numeric.known.subtracting(rows)
              ))
          }
        }
      }
    }
    return literals
  }
}
