// Which features, which form, which size: read off fidelity curves on the training rows.

import Tables
import Tensors

/// The surrogates that curves chose, and the curves.
public struct SurrogateChoice: Sendable {
  /// The features kept, the most important first.
  public let features: [Int]
  /// Fidelity against the number of features, where it was looked at.
  public let featureCurve: [FidelityPoint]
  /// Fidelity against form and size.
  public let sizeCurve: [FidelityPoint]
  /// The surrogate that stands for the black box.
  public let surrogate: Surrogate
  /// Its form and size.
  public let plan: SurrogatePlan
  /// A tree on the same features: rules and boxes are read from it. The surrogate itself, where that is a tree.
  public let tree: Surrogate

  /// How much R² one may lose for fewer features or leaves.
  private static let tolerance = 0.01
  /// How much R² one may lose for a tree in place of a sum of trees.
  private static let worthOfATree = 0.03
  /// More rows than this are sampled for the curves.
  private static let curveRows = 4000
  /// More rows than this are sampled for the surrogates: a few dozen rules or a sum of small trees learn nothing from more.
  static let fittedRows = 100_000

  /// Chooses on the given rows.
  ///
  /// - Parameters:
  ///   - ranking: all features, the most important first.
  ///   - rows: the training rows.
  ///   - targets: the black box's out-of-bag or cross-fitted outputs for them.
  public init(
    _ features: Features, ranking: [Int], rows: [Int], targets: Tensor, outputNames: [String],
    options: ExplainerOptions
  ) throws {
    let sample = Self.sample(Self.curveRows, of: rows.count, seed: options.seed, stream: "curve rows")
    let sampledTargets = Self.chosen(sample, of: targets)
    func curve(_ chosen: [Int]) -> FidelityCurve {
      FidelityCurve(
        features, using: chosen, rows: sample.map { rows[$0] }, targets: sampledTargets,
        outputNames: outputNames, seed: options.seed)
    }

    if let top = options.top {
      self.features = Array(ranking.prefix(max(1, top)))
      featureCurve = []
    } else {
      let counts = Self.featureCounts(min(ranking.count, outputNames.count > 10 ? 60 : 30))
      var points: [FidelityPoint] = []
      for count in counts {
        points += try curve(Array(ranking.prefix(count))).points([Self.probe])
      }
      let best = simplestSufficient(points, tolerance: Self.tolerance)
      self.features = Array(ranking.prefix(best?.features ?? 1))
      featureCurve = points
    }

    let full = curve(self.features)
    let treePoints = try full.points(Self.plans(.tree, size: options.surrogate == .tree ? options.size : nil))
    let treePlan =
      simplestSufficient(treePoints, tolerance: Self.tolerance)?.plan ?? SurrogatePlan(.tree, size: 4)
    let fitted = Self.sample(Self.fittedRows, of: rows.count, seed: options.seed, stream: "surrogate rows")
    let fitter = SurrogateFitter(
      features, using: self.features, rows: fitted.map { rows[$0] },
      targets: Self.chosen(fitted, of: targets),
      outputNames: outputNames, seed: options.seed)
    tree = try fitter.fit(treePlan)
    var points = treePoints
    var plan = treePlan
    switch options.surrogate {
    case .tree: break
    case nil:
      let sums = try full.points(Self.plans(.treeSum, size: nil))
      points += sums
      let treeBest = treePoints.first { $0.plan == treePlan }?.determination ?? -.infinity
      if let sum = simplestSufficient(sums, tolerance: Self.tolerance),
        sum.determination > treeBest + Self.worthOfATree
      {
        plan = sum.plan
      }
    case .some(let kind):
      let own = try full.points(Self.plans(kind, size: options.size))
      points += own
      plan = simplestSufficient(own, tolerance: Self.tolerance)?.plan ?? SurrogatePlan(kind, size: 8)
    }
    sizeCurve = points
    self.plan = plan
    surrogate = plan == treePlan ? tree : try fitter.fit(plan)
  }

  /// What the number of features is judged with: rich enough to use every feature it is given.
  private static let probe = SurrogatePlan(.treeSum, size: 80, leavesPerTree: 4)

  private static func featureCounts(_ most: Int) -> [Int] {
    let steps = [1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 40, 60].filter { $0 < most }
    return steps + [most]
  }

  /// The sizes of a form that curves look at, the smallest first; only the given one where there is one.
  private static func plans(_ kind: SurrogateKind, size: Int?) -> [SurrogatePlan] {
    switch (kind, size) {
    case (.treeSum, let size?): [SurrogatePlan(.treeSum, size: size, leavesPerTree: 4)]
    case (.treeSum, nil):
      [(40, 2), (120, 2), (60, 4), (160, 4), (200, 8)].map {
        SurrogatePlan(.treeSum, size: $0.0, leavesPerTree: $0.1)
      }
    case (_, let size?): [SurrogatePlan(kind, size: size)]
    case (.tree, nil): [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].map { SurrogatePlan(.tree, size: $0) }
    case (.ruleList, nil), (.ruleSets, nil): [2, 4, 6, 8, 12, 16, 24].map { SurrogatePlan(kind, size: $0) }
    }
  }

  /// At most `most` of so many rows, in rising order.
  private static func sample(_ most: Int, of count: Int, seed: UInt64, stream: String) -> [Int] {
    guard count > most else { return Array(0..<count) }
    var generator = SeededGenerator(seed: seed, stream: stream)
    return generator.permutation(of: count).prefix(most).sorted()
  }

  /// Some rows of outputs `[rows, outputs]`.
  private static func chosen(_ rows: [Int], of targets: Tensor) -> Tensor {
    let width = targets.shape[1]
    guard rows.count < targets.shape[0] else { return targets }
    return targets.withValues { values in
      Tensor(
        rows.flatMap { row in (0..<width).map { values[row * width + $0] } }, shape: [rows.count, width])
    }
  }
}
