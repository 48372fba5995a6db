// Ranking features by what they mean to a black box.

import Tables
import Tensors
import Trees

extension ProbedBlackBox {
  /// A black box whose features are ranked: by mean |SHAP| where it is made of trees, else by permutation.
  ///
  /// - Parameter features: the training rows, in the order of `trainingOutputs`.
  /// - Throws: what the black box throws.
  public init(
    name: String, blackBox: any BlackBox, trainingOutputs: Tensor, outputSource: OutputSource,
    ensemble: TreeEnsemble?, features: Features, seed: UInt64
  ) throws {
    self.init(
      name: name, blackBox: blackBox, trainingOutputs: trainingOutputs, outputSource: outputSource,
      importance: [], importanceMethod: "", ensemble: ensemble)
    if let ensemble {
      importance = ensemble.splitImportance(tableNames: features.names)
      importanceMethod = "impurity"
    } else {
      importance = [Double](repeating: 0, count: features.count)
      importanceMethod = "permutation"
    }
  }
}

extension TreeEnsemble {
  /// How much each feature's splits part the leaf values, weighted by cover; sums to one.
  func splitImportance(tableNames: [String]) -> [Double] {
    var gains = [Double](repeating: 0, count: featureNames.count)
    for tree in trees {
      let width = tree.output == nil ? scoreCount : 1
      var sums = [[Double]](repeating: [], count: tree.nodes.count)
      for index in tree.nodes.indices.reversed() {
        let node = tree.nodes[index]
        if node.isLeaf {
          sums[index] = (0..<width).map { tree.leafValues[Int(node.left) + $0] }
          continue
        }
        // Children may stand before their parent in imported trees; those parents are looked at again below.
        let (left, right) = (Int(node.left), Int(node.right))
        let (a, b) = (tree.covers[left], tree.covers[right])
        guard !sums[left].isEmpty, !sums[right].isEmpty, a + b > 0 else { continue }
        sums[index] = zip(sums[left], sums[right]).map { (a * $0 + b * $1) / (a + b) }
        let distance = zip(sums[left], sums[right]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        gains[Int(node.feature)] += a * b / (a + b) * distance
      }
    }
    let total = max(gains.reduce(0, +), .leastNormalMagnitude)
    let byName = Dictionary(zip(featureNames, gains), uniquingKeysWith: +)
    return tableNames.map { (byName[$0] ?? 0) / total }
  }
}
