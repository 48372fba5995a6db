// Impurity importance of tree models: what the splits on a feature gained while the trees grew.

import Trees

extension TreeEnsemble {
  /// Each feature's share of the fall in impurity, averaged over trees, adding up to 1; 0 for features without splits.
  ///
  /// A split gains nₗ‖mₗ‖² + nᵣ‖mᵣ‖² − n‖m‖², with n the cover and m the mean leaf of a node: for forests that is the
  /// fall of Gini's impurity or of the variance (scikit-learn's `feature_importances_`), for boosted trees the spread
  /// that the split adds to the scores. It is measured on training rows and favours features of many values.
  public func impurityImportance() -> FeatureImportance {
    var totals = [Double](repeating: 0, count: featureNames.count)
    for tree in trees {
      let gains = tree.impurityGains(width: tree.output == nil ? scoreCount : 1)
      let sum = gains.values.reduce(0, +)
      guard sum > 0 else { continue }
      for (feature, gain) in gains { totals[feature] += gain / sum }
    }
    let whole = totals.reduce(0, +)
    return FeatureImportance(
      method: "impurity", names: featureNames, values: totals.map { whole > 0 ? $0 / whole : 0 })
  }
}

extension Tree {
  /// What the splits on each feature gained.
  fileprivate func impurityGains(width: Int) -> [Int: Double] {
    // Children before parents: means add up from the leaves.
    var order = [0]
    var place = 0
    while place < order.count {
      let node = nodes[order[place]]
      if !node.isLeaf { order += [Int(node.left), Int(node.right)] }
      place += 1
    }
    var means = [Double](repeating: 0, count: nodes.count * width)
    func weighted(_ node: Int) -> Double {
      covers[node] * (0..<width).reduce(0) { $0 + means[node * width + $1] * means[node * width + $1] }
    }
    var gains: [Int: Double] = [:]
    for index in order.reversed() {
      let node = nodes[index]
      if node.isLeaf {
        for score in 0..<width { means[index * width + score] = leafValues[Int(node.left) + score] }
        continue
      }
      let (left, right) = (Int(node.left), Int(node.right))
      guard covers[index] > 0 else { continue }
      for score in 0..<width {
        means[index * width + score] =
          (covers[left] * means[left * width + score] + covers[right] * means[right * width + score])
          / covers[index]
      }
      gains[Int(node.feature), default: 0] += weighted(left) + weighted(right) - weighted(index)
    }
    return gains
  }
}
