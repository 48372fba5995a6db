// Fitting a surrogate of a stated form and size to a black box's probabilities.
//
// The probabilities must be out-of-bag or cross-fitted: in-bag ones are those of a black box that knows the answer,
// and a surrogate of them follows the black box worse on new rows.

import Tables
import Tensors
import Trees

/// A form and a size.
public struct SurrogatePlan: Sendable, Equatable, Hashable, Codable {
  /// The form.
  public var kind: SurrogateKind
  /// A tree's leaves, a list's rules, the leaves of each class's tree that rule sets are read from, or a sum's trees.
  public var size: Int
  /// The leaves of each tree of a sum; not used by the other forms.
  public var leavesPerTree: Int

  /// A form and a size.
  public init(_ kind: SurrogateKind, size: Int, leavesPerTree: Int = 2) {
    self.kind = kind
    self.size = size
    self.leavesPerTree = leavesPerTree
  }
}

/// Some features of a table prepared for fitting surrogates, possibly many, on all rows or on folds.
///
/// Inside a fitter features are counted from 0 in the order they were chosen in.
public struct SurrogateFitter: Sendable {
  /// How much of what a small tree finds is added to a sum.
  private static let shrinkage = 0.1
  /// The share of the rows each tree of a sum is fitted to.
  private static let rowShare = 0.6
  /// The share of the features each tree of a sum may ask about, and how many it always may.
  private static let (featureShare, fewestFeatures) = (0.4, 8)

  /// The chosen columns of the rows that are fitted to.
  let features: Features
  /// The chosen features' indices in the table.
  let tableFeatures: [Int]
  let outputNames: [String]
  private let columns: BinnedColumns
  /// `[row, fitted output]`: of two classes only the second is fitted.
  private let targets: [Double]
  private let outputs: Int
  private let seed: UInt64

  /// Prepares the chosen features.
  ///
  /// - Parameters:
  ///   - features: the table.
  ///   - chosen: the features a surrogate may ask about, the most important first.
  ///   - rows: the rows to fit to.
  ///   - targets: out-of-bag or cross-fitted outputs of the black box, shape `[rows, outputs]`.
  ///   - seed: what the rows and features that a sum's trees see depend on.
  public init(
    _ features: Features, using chosen: [Int], rows: [Int], targets: Tensor, outputNames: [String],
    seed: UInt64 = 0
  ) {
    precondition(
      targets.shape == [rows.count, outputNames.count],
      "targets \(targets.shape) for \(rows.count) rows and \(outputNames.count) outputs")
    self.features = features.selecting(features: chosen).selecting(rows: rows)
    tableFeatures = chosen
    self.outputNames = outputNames
    self.seed = seed
    columns = BinnedColumns(
      self.features, using: Array(0..<chosen.count), rows: Array(0..<rows.count))
    let width = outputNames.count
    outputs = width == 2 ? 1 : width
    self.targets = targets.withValues { values in
      width == 2
        ? rows.indices.map { Double(values[2 * $0 + 1]) } : values.indices.map { Double(values[$0]) }
    }
  }

  /// The number of rows.
  public var rowCount: Int { features.rowCount }

  /// A surrogate of the table, fitted to all rows.
  public func fit(_ plan: SurrogatePlan) throws -> Surrogate {
    try fit(plan, rows: Array(0..<Int32(rowCount))).relocated(to: tableFeatures)
  }

  /// A surrogate of this fitter's own features, fitted to some rows.
  func fit(_ plan: SurrogatePlan, rows: [Int32]) throws -> Surrogate {
    let model: Surrogate.Model =
      switch plan.kind {
      case .tree: try .trees(tree(leaves: plan.size, rows))
      case .treeSum: try .trees(sum(trees: plan.size, leaves: plan.leavesPerTree, rows))
      case .ruleList: try list(plan.size, rows)
      case .ruleSets: try sets(plan.size, rows)
      }
    return Surrogate(
      kind: plan.kind, features: Array(0..<features.count), outputNames: outputNames, model: model)
  }

  private var grower: TreeGrower { TreeGrower(columns: columns, outputs: outputs) }

  private func rowsPerLeaf(_ rows: [Int32]) -> Int { max(2, min(5, rows.count / 100)) }

  /// All outputs from the fitted ones.
  private func full(_ fitted: [Double]) -> [Double] {
    outputNames.count == 2 ? [1 - fitted[0], fitted[0]] : fitted
  }

  private func ensemble(_ trees: [Tree], base: [Double]) throws -> TreeEnsemble {
    try TreeEnsemble(
      featureNames: features.names, featureKinds: features.kinds, outputNames: outputNames, trees: trees,
      baseScores: base, link: .identity)
  }

  private func tree(leaves: Int, _ rows: [Int32]) throws -> TreeEnsemble {
    let grown = grower.grow(
      targets: targets, rows: rows, limits: TreeLimits(leaves: leaves, rowsPerLeaf: rowsPerLeaf(rows)))
    let zeros = [Double](repeating: 0, count: outputNames.count)
    return try ensemble([grown.tree(columns, leafValue: full)], base: zeros)
  }

  private func mean(_ rows: [Int32]) -> [Double] {
    (0..<outputs).map { output in
      rows.reduce(0) { $0 + targets[Int($1) * outputs + output] } / Double(max(rows.count, 1))
    }
  }

  /// Friedman's stagewise sum for squared error (2001, algorithm 2), several outputs a tree, each tree from a part of
  /// the rows (Friedman 2002) and of the features: where rows are few, such sums follow a black box more closely.
  private func sum(trees count: Int, leaves: Int, _ rows: [Int32]) throws -> TreeEnsemble {
    let base = mean(rows)
    var residuals = targets
    for row in rows {
      for output in 0..<outputs { residuals[Int(row) * outputs + output] -= base[output] }
    }
    var generator = SeededGenerator(seed: seed, stream: "sum of trees")
    let rowCount = min(rows.count, max(2 * rowsPerLeaf(rows), Int(Self.rowShare * Double(rows.count))))
    let featureCount = min(
      features.count, max(Self.fewestFeatures, Int(Self.featureShare * Double(features.count))))
    let limits = TreeLimits(leaves: leaves, rowsPerLeaf: rowsPerLeaf(rows))
    var trees: [Tree] = []
    for _ in 0..<count {
      let drawnRows = generator.permutation(of: rows.count).prefix(rowCount).sorted().map { rows[$0] }
      let drawnFeatures = generator.permutation(of: features.count).prefix(featureCount).sorted()
      let grown = grower.grow(targets: residuals, rows: drawnRows, limits: limits, asking: drawnFeatures)
      guard grown.nodes.count > 1 else { continue }
      for row in rows {
        let step = grown.nodes[grown.leaf(of: row, columns)].mean
        for output in 0..<outputs { residuals[Int(row) * outputs + output] -= Self.shrinkage * step[output] }
      }
      trees.append(
        try grown.tree(columns) { mean in
          let step = mean.map { Self.shrinkage * $0 }
          return outputNames.count == 2 ? [-step[0], step[0]] : step
        })
    }
    return try ensemble(trees, base: full(base))
  }

  /// Separate and conquer: of a small tree on the rows that are left, the leaf that stands out most becomes the next
  /// rule (after Frank and Witten 1998, with probabilities in place of classes).
  private func list(_ count: Int, _ rows: [Int32]) throws -> Surrogate.Model {
    var rest = rows
    var rules: [Rule] = []
    while rules.count < count - 1, rest.count >= 2 * rowsPerLeaf(rows) {
      let limits = TreeLimits(leaves: 6, depth: 4, rowsPerLeaf: rowsPerLeaf(rows))
      let grown = grower.grow(targets: targets, rows: rest, limits: limits)
      guard grown.nodes.count > 1 else { break }
      let whole = grown.nodes[0]
      let leaves = grown.nodes.indices.filter { grown.nodes[$0].split == nil }
      func distinction(_ leaf: Int) -> Double {
        let node = grown.nodes[leaf]
        let share = Double(node.cover) / Double(max(1, whole.cover - node.cover))
        return Double(node.cover) * (1 + share)
          * squares(zip(node.mean, whole.mean).map { $0 - $1 })
      }
      guard let chosen = leaves.max(by: { distinction($0) < distinction($1) }) else { break }
      let table = try ensemble(
        [grown.tree(columns, leafValue: full)], base: [Double](repeating: 0, count: outputNames.count))
      let boxes = grown.leafBoxes(table, features: Array(0..<features.count))
      rules.append(Rule(box: boxes[chosen] ?? Box(), prediction: full(grown.nodes[chosen].mean)))
      rest = rest.filter { grown.leafOfRow[Int($0)] != chosen }
    }
    return .list(rules, otherwise: full(mean(rest)))
  }

  /// For every output a tree of its own; the leaves that speak for the class are its rules.
  private func sets(_ leaves: Int, _ rows: [Int32]) throws -> Surrogate.Model {
    let single = TreeGrower(columns: columns, outputs: 1)
    let limits = TreeLimits(leaves: leaves, rowsPerLeaf: rowsPerLeaf(rows))
    var sets: [[Rule]] = []
    var otherwise: [Double] = []
    for output in outputNames.indices {
      let own = (0..<rowCount).map { row in
        outputNames.count == 2
          ? (output == 1 ? targets[row] : 1 - targets[row]) : targets[row * outputs + output]
      }
      let grown = single.grow(targets: own, rows: rows, limits: limits)
      let table = try TreeEnsemble(
        featureNames: features.names, featureKinds: features.kinds, outputNames: [outputNames[output]],
        trees: [grown.tree(columns) { $0 }], baseScores: [0], link: .identity)
      let boxes = grown.leafBoxes(table, features: Array(0..<features.count))
      let leaves = grown.nodes.indices.filter { grown.nodes[$0].split == nil }
      let top = leaves.map { grown.nodes[$0].mean[0] }.max() ?? 0
      // A leaf speaks for the class where the class is more probable than not, or is as probable there as anywhere.
      let speaking = leaves.filter { outputNames.count == 1 || grown.nodes[$0].mean[0] >= min(0.5, top) }
      sets.append(
        speaking.sorted { grown.nodes[$0].mean[0] > grown.nodes[$1].mean[0] }.map {
          Rule(box: boxes[$0] ?? Box(), prediction: grown.nodes[$0].mean)
        })
      let silent = leaves.filter { !speaking.contains($0) }
      let cover = silent.reduce(0) { $0 + grown.nodes[$1].cover }
      otherwise.append(
        silent.reduce(0) { $0 + grown.nodes[$1].mean[0] * Double(grown.nodes[$1].cover) }
          / Double(max(cover, 1)))
    }
    return .sets(sets, otherwise: otherwise)
  }
}

extension GrownTree {
  /// The box of every leaf, by node.
  /// - Parameter ensemble: holds this tree, written, as its only one; nodes keep their numbers.
  fileprivate func leafBoxes(_ ensemble: TreeEnsemble, features: [Int]) -> [Int: Box] {
    guard let tree = ensemble.trees.first else { return [:] }
    var boxes: [Int: Box] = [:]
    var pending: [(node: Int, box: Box)] = [(0, Box())]
    while let (index, box) = pending.popLast() {
      let node = tree.nodes[index]
      guard !node.isLeaf else {
        boxes[index] = box
        continue
      }
      let (left, right) = ensemble.conditions(of: node, in: tree, tableFeatures: features)
      var (leftBox, rightBox) = (box, box)
      leftBox.add(left)
      rightBox.add(right)
      pending += [(Int(node.left), leftBox), (Int(node.right), rightBox)]
    }
    return boxes
  }
}

extension Surrogate {
  /// The surrogate with its features counted as in the table.
  /// - Parameter tableFeatures: for every feature of this surrogate its index in the table.
  func relocated(to tableFeatures: [Int]) -> Surrogate {
    func moved(_ rules: [Rule]) -> [Rule] {
      rules.map { rule in
        Rule(
          box: Box(
            rule.box.conditions.map {
              Condition(
                feature: tableFeatures[$0.feature], demand: $0.demand, acceptsMissing: $0.acceptsMissing)
            }), prediction: rule.prediction)
      }
    }
    let model: Model =
      switch model {
      case .trees: self.model
      case .list(let rules, let otherwise): .list(moved(rules), otherwise: otherwise)
      case .sets(let sets, let otherwise): .sets(sets.map(moved), otherwise: otherwise)
      }
    return Surrogate(
      kind: kind, features: features.map { tableFeatures[$0] }, outputNames: outputNames, model: model)
  }
}
