// How fidelity grows with what a surrogate is allowed: features, rules, trees. The curve decides, or the user does.

import Tables
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One point of a curve: a plan, and its cross-validated fidelity.
public struct FidelityPoint: Sendable, Equatable, Codable {
  /// The form and size.
  public var plan: SurrogatePlan
  /// How many features the surrogate could use.
  public var features: Int
  /// R² on the black box's outputs, pooled over the held-out folds.
  public var determination: Double
  /// The standard error of R² over folds.
  public var standardError: Double
  /// Label agreement on the held-out folds; nil for regressions.
  public var labelAgreement: Double?
}

/// Cross-validated fidelity of plans on a fitter's rows.
public struct FidelityCurve: Sendable {
  /// The folds: every row's fold.
  private let folds: [Int]
  private let foldCount: Int
  private let fitter: SurrogateFitter
  private let targets: Tensor

  /// A curve over `foldCount` random folds.
  public init(
    _ features: Features, using chosen: [Int], rows: [Int], targets: Tensor, outputNames: [String],
    foldCount: Int = 5, seed: UInt64
  ) {
    fitter = SurrogateFitter(
      features, using: chosen, rows: rows, targets: targets, outputNames: outputNames, seed: seed)
    self.targets = targets
    self.foldCount = max(2, min(foldCount, rows.count))
    var generator = SeededGenerator(seed: seed, stream: "fidelity folds")
    var folds = [Int](repeating: 0, count: rows.count)
    for (place, row) in generator.permutation(of: rows.count).enumerated() {
      folds[row] = place % self.foldCount
    }
    self.folds = folds
  }

  /// The points of the given plans, computed in parallel over plans and folds.
  public func points(_ plans: [SurrogatePlan]) throws -> [FidelityPoint] {
    let (rows, width) = (folds.count, targets.shape[1])
    let results = parallelMap(plans.count * foldCount) { index -> Result<Tensor, any Error> in
      let (plan, fold) = (plans[index / foldCount], index % foldCount)
      return Result {
        let training = (0..<rows).filter { folds[$0] != fold }.map { Int32($0) }
        let held = (0..<rows).filter { folds[$0] == fold }
        return try fitter.fit(plan, rows: training).predict(fitter.features.selecting(rows: held))
      }
    }
    return try plans.indices.map { place in
      var predicted = [Float](repeating: 0, count: rows * width)
      for fold in 0..<foldCount {
        let values = try results[place * foldCount + fold].get().values
        for (order, row) in (0..<rows).filter({ folds[$0] == fold }).enumerated() {
          for output in 0..<width { predicted[row * width + output] = values[order * width + output] }
        }
      }
      return point(plans[place], Tensor(predicted, shape: [rows, width]))
    }
  }

  private func point(_ plan: SurrogatePlan, _ predicted: Tensor) -> FidelityPoint {
    let scorer = FidelityScorer(blackBox: targets, surrogate: predicted)
    let whole = scorer.measures()
    let byFold = (0..<foldCount).map { fold in
      scorer.measures(weights: folds.map { $0 == fold ? 1 : 0 }).determination
    }.filter { $0.isFinite }
    let mean = byFold.reduce(0, +) / Double(max(byFold.count, 1))
    let variance =
      byFold.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(byFold.count - 1, 1))
    return FidelityPoint(
      plan: plan, features: fitter.features.count, determination: whole.determination,
      standardError: sqrt(variance / Double(max(byFold.count, 1))),
      labelAgreement: whole.labelAgreement.isNaN ? nil : whole.labelAgreement)
  }
}

/// The first of `points`, from the simplest to the richest, whose R² is within `tolerance` of the best.
public func simplestSufficient(_ points: [FidelityPoint], tolerance: Double) -> FidelityPoint? {
  let best = points.map(\.determination).filter { !$0.isNaN }.max() ?? .nan
  return points.first { $0.determination >= best - tolerance } ?? points.first
}
