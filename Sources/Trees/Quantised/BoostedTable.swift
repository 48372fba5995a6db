// Boosted trees on a quantised table, by one process or by several that hold some of its rows each.

import Tables
import Tensors

/// Boosted trees, and what they say of rows that they were not fitted to.
public struct BoostedTable: Sendable {
  /// The trees.
  public let ensemble: TreeEnsemble
  /// How many rows the trees were fitted to.
  public let fittedRows: Int
  /// How many rows were held out.
  public let heldRows: Int
  /// Predictions for held-out rows, shape `[rows, outputs]`: all of them, or about `mostMeasured` spread over the table.
  public let heldOutputs: Tensor
  /// Their targets: quantities, or indices of classes.
  public let heldTargets: [Float]

  /// Up to so many held-out rows are kept for measuring.
  public static let mostMeasured = 200_000
}

extension TreeEnsemble {
  /// Gradient-boosted trees for a quantised table, as `boosted(_:target:targetName:options:)`; held-out rows weigh nothing.
  ///
  /// Classes give the same trees, to the last bit, with any number of processes: their gradients are whole numbers of
  /// units. For quantities sums are rounded in another order.
  /// - Parameters:
  ///   - share: the share of rows held out, by a hash of their codes; 0 for none.
  ///   - team: processes that open the same table; each works on its own part of the rows.
  ///   - progress: told how many rounds are done.
  /// - Throws: `TreeError.oneClass`, `.noRows` or `.tooWideForParts`.
  public static func boosted(
    _ table: QuantisedTable, options: BoostingOptions, holding share: Double,
    team: some RowTeam = LoneProcess(),
    progress: (Int) -> Void = { _ in }
  ) throws -> BoostedTable {
    precondition((0..<1).contains(share))
    let rows = team.part(of: table.rowCount)
    let features = table.features(rows)
    // Several processes sum the histograms of all features: their trees ask about all of them.
    let scale = BoostingScale(
      options, rows: table.rowCount, features: table.featureNames.count,
      predictsQuantities: table.classNames == nil && team.size == 1)
    let areAllAsked = scale.featuresDrawn == table.featureNames.count && scale.rowsDrawn == nil
    // Every process must come to the same answer here, before any waits for the others.
    guard
      team.size == 1
        || (areAllAsked && table.rowCount / team.size > 2000
          && RowRecords.serve(features, depth: scale.shape.maximumDepth))
    else { throw TreeError.tooWideForParts }
    let targets = try table.targets(rows)
    let held = share > 0 ? table.heldOut(rows, share: share, seed: options.seed) : []
    let unused = targets.indices.map { targets[$0].isNaN || (!held.isEmpty && held[$0]) }
    let counts = team.sum([
      unused.count { !$0 }, targets.indices.count { !held.isEmpty && held[$0] && !targets[$0].isNaN },
    ])
    guard counts[0] > 0 else { throw TreeError.noRows }
    let classes = table.classNames?.count ?? 0
    if classes > 0 {
      var classCounts = [Int](repeating: 0, count: classes)
      for (row, target) in targets.enumerated() where !unused[row] { classCounts[Int(target)] += 1 }
      classCounts = team.sum(classCounts)
      if classCounts.count(where: { $0 > 0 }) < 2 {
        let only = classCounts.firstIndex { $0 > 0 } ?? 0
        throw TreeError.oneClass(table.classNames?[only] ?? "")
      }
    }
    let objective = BoostingObjective(targets, classes: classes, unused: unused, team: team)
    var run = BoostingRun(features, objective, options, scale, unused: unused, team: team)
    for round in 0..<options.rounds {
      run.addRound()
      progress(round + 1)
    }
    let ensemble = try TreeEnsemble(
      featureNames: table.featureNames, featureKinds: table.bins.kinds,
      outputNames: table.classNames ?? [table.targetName], trees: run.trees, baseScores: objective.baseScores,
      link: objective.link)
    let measured = HeldOutcome(
      run.scores, targets, held: held, total: counts[1], link: objective.link, width: objective.scoreCount,
      outputs: ensemble.outputNames.count, team)
    return BoostedTable(
      ensemble: ensemble, fittedRows: counts[0], heldRows: counts[1], heldOutputs: measured.outputs,
      heldTargets: measured.targets)
  }
}

/// The held-out rows of all processes, or an even part of them.
private struct HeldOutcome {
  let outputs: Tensor
  let targets: [Float]

  init(
    _ scores: [Double], _ targets: [Float], held: [Bool], total: Int, link: TreeEnsemble.Link, width: Int,
    outputs: Int, _ team: some RowTeam
  ) {
    let step = max(1, total / BoostedTable.mostMeasured)
    let places = held.indices.filter { held[$0] && !targets[$0].isNaN }
    // Where this process's rows stand among those of all.
    var before = [Int](repeating: 0, count: team.size)
    before[team.rank] = places.count
    before = team.sum(before)
    let first = before[..<team.rank].reduce(0, +)
    let count = (total + step - 1) / step
    var cells = [Double](repeating: 0, count: count * (outputs + 1))
    for (place, row) in places.enumerated() where (first + place) % step == 0 {
      let target = (first + place) / step * (outputs + 1)
      let own = Array(scores[row * width..<(row + 1) * width])
      for (output, value) in link.predictions(own).enumerated() { cells[target + output] = value }
      cells[target + outputs] = Double(targets[row])
    }
    cells = team.sum(cells)
    var predictions: [Float] = []
    var truths: [Float] = []
    predictions.reserveCapacity(count * outputs)
    for row in 0..<count {
      let own = cells[row * (outputs + 1)..<(row + 1) * (outputs + 1)]
      for value in own.prefix(outputs) { predictions.append(Float(value)) }
      truths.append(Float(own.last ?? 0))
    }
    self.outputs = Tensor(predictions, shape: [count, outputs])
    self.targets = truths
  }
}
