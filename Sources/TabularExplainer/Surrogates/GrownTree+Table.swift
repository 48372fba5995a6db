// A grown tree in a table's terms: as a `Tree` that predicts and has SHAP values, and as boxes.

import Tables
import Trees

extension GrownTree {
  /// The tree as `Trees` writes it; features are counted by their place among the binned columns.
  ///
  /// - Parameter leafValue: what a leaf with these means predicts, one number per output of the ensemble.
  func tree(_ columns: BinnedColumns, leafValue: ([Double]) -> [Double]) throws(TreeError) -> Tree {
    var written: [Tree.Node] = []
    var leafValues: [Double] = []
    var words: [UInt64] = []
    var width = 1
    for node in nodes {
      guard let split = node.split else {
        let values = leafValue(node.mean)
        width = values.count
        written.append(.leaf(valueIndex: leafValues.count))
        leafValues += values
        continue
      }
      let column = columns.columns[split.column]
      let missingLeft = split.goesLeft[Int(BinnedColumns.missing)]
      if column.isCategorical {
        let start = words.count
        let count = max(1, (column.codeCount + 63) / 64)
        words += [UInt64](repeating: 0, count: count)
        for code in 0..<column.codeCount where split.goesLeft[code] {
          words[start + code >> 6] |= 1 << UInt64(code & 63)
        }
        written.append(
          .split(
            feature: split.column, inCategoriesAt: start, wordCount: count, left: node.left,
            right: node.right,
            missingGoesLeft: missingLeft))
      } else {
        // Past the last cut every number goes left: the split asks whether the cell is there at all.
        let cut = column.cuts.indices.contains(split.lastLeft) ? column.cuts[split.lastLeft] : .infinity
        written.append(
          .split(
            feature: split.column, atMost: cut, left: node.left, right: node.right,
            missingGoesLeft: missingLeft))
      }
    }
    return try Tree(
      nodes: written, covers: nodes.map { Double($0.cover) }, leafValues: leafValues, categoryWords: words,
      output: nil, valuesPerLeaf: width)
  }
}

extension TreeEnsemble {
  /// The conditions that a split sets, for the rows that go left and for those that go right.
  /// - Parameter tableFeatures: for every feature of the ensemble its index in the table.
  func conditions(of node: Tree.Node, in tree: Tree, tableFeatures: [Int]) -> (
    left: Condition, right: Condition
  ) {
    let feature = tableFeatures[Int(node.feature)]
    let (left, right): (Condition.Demand, Condition.Demand)
    if node.isCategorical {
      var known = 0
      if case .categorical(let names) = featureKinds[Int(node.feature)] { known = names.count }
      let chosen = tree.categories(at: node)
      let isChosen = Set(chosen)
      left = .categories(chosen)
      right = .categories((0..<known).filter { !isChosen.contains($0) })
    } else {
      left = .range(above: -.infinity, atMost: node.threshold)
      right = .range(above: node.threshold, atMost: .infinity)
    }
    return (
      Condition(feature: feature, demand: left, acceptsMissing: node.missingGoesLeft),
      Condition(feature: feature, demand: right, acceptsMissing: !node.missingGoesLeft)
    )
  }

  /// Every leaf of a tree as a rule; the boxes part the space.
  /// - Parameter tableFeatures: for every feature of the ensemble its index in the table.
  func rules(of tree: Tree, tableFeatures: [Int]) -> [Rule] {
    var rules: [Rule] = []
    var pending: [(node: Int, box: Box)] = [(0, Box())]
    while let (index, box) = pending.popLast() {
      let node = tree.nodes[index]
      if node.isLeaf {
        let start = Int(node.left)
        let values = tree.leafValues[start..<start + scoreCount]
        rules.append(Rule(box: box, prediction: zip(baseScores, values).map { $0 + scale * $1 }))
        continue
      }
      let (left, right) = conditions(of: node, in: tree, tableFeatures: tableFeatures)
      var (leftBox, rightBox) = (box, box)
      leftBox.add(left)
      rightBox.add(right)
      pending.append((Int(node.right), rightBox))
      pending.append((Int(node.left), leftBox))
    }
    return rules
  }
}
