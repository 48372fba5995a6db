// TreeEnsembleClassifier and TreeEnsembleRegressor (ai.onnx.ml versions 1 to 4) as tree ensembles; for TreeEnsemble see
// ONNXTrees+Version5.

import Files
import Tables
import Trees

/// The attributes of a tree operator, read into trees.
struct ONNXTrees {
  let trees: [Tree]
  let baseScores: [Double]
  let scale: Double
  let link: TreeEnsemble.Link
  /// The largest feature index that some split asks about, plus one.
  let featuresNeeded: Int

  /// The number of outputs after the link.
  var outputCount: Int {
    switch link {
    case .logistic, .complement, .step: 2
    default: baseScores.count
    }
  }

  /// Trees with names.
  func ensemble(features: [String], outputs: [String]) throws(TreeError) -> TreeEnsemble {
    try TreeEnsemble(
      featureNames: features, featureKinds: [FeatureKind](repeating: .numeric, count: features.count),
      outputNames: outputs, trees: trees, baseScores: baseScores, scale: scale, link: link)
  }

  init(trees: [Tree], baseScores: [Double], scale: Double, link: TreeEnsemble.Link) {
    self.trees = trees
    self.baseScores = baseScores
    self.scale = scale
    self.link = link
    featuresNeeded = (trees.flatMap(\.usedFeatures).max() ?? -1) + 1
  }

  /// - Parameters:
  ///   - cells: what the cells that the node reads stand for.
  ///   - isDouble: whether the node reads doubles.
  init(_ node: ONNXGraph.Node, _ cells: CellScales, isDouble: Bool) throws(ModelProblem) {
    if node.operation == "TreeEnsemble" {
      self = try Self.version5(node, ONNXThresholds(cells: cells, isDouble: isDouble))
      return
    }
    let classifies = node.operation == "TreeEnsembleClassifier"
    let prefix = classifies ? "class" : "target"
    let reader = ONNXNodeReader(node)
    let aggregate = node.attributes["aggregate_function"]?.text ?? "SUM"
    guard aggregate == "SUM" || aggregate == "AVERAGE" else {
      throw .unsupported("trees that are combined by \(aggregate)")
    }
    let weights = try reader.doubles("\(prefix)_weights")
    let targets = try reader.integers("\(prefix)_ids", count: weights.count)
    let owners = zip(
      try reader.integers("\(prefix)_treeids", count: weights.count),
      try reader.integers("\(prefix)_nodeids", count: weights.count)
    ).map(ONNXNodeKey.init)
    let declared: Int
    if classifies {
      declared = max(
        node.attributes["classlabels_strings"]?.texts.count ?? 0,
        node.attributes["classlabels_int64s"]?.integers.count ?? 0)
    } else {
      declared = node.attributes["n_targets"]?.integer ?? 1
    }
    guard declared > 0, declared < Limit.columns.value, targets.allSatisfy({ $0 >= 0 && $0 < declared })
    else {
      throw .malformed("\(node.operation) has \(declared) outputs, and weights for others")
    }
    // Two classes with weights for one of them only: the other's probability is what is left.
    let isOneScore = classifies && declared == 2 && Set(targets).count == 1
    let scoreCount = isOneScore ? 1 : declared
    link = try Self.link(
      node.attributes["post_transform"]?.text ?? "NONE", classifies: classifies, isOneScore: isOneScore,
      allPositive: weights.allSatisfy { $0 >= 0 })

    var leaves: [ONNXNodeKey: [(output: Int, weight: Double)]] = [:]
    for (place, owner) in owners.enumerated() {
      leaves[owner, default: []].append((isOneScore ? 0 : targets[place], weights[place]))
    }
    let (groups, order) = try reader.nodesByTree()
    var trees: [Tree] = []
    for treeID in order {
      trees.append(
        try ONNXTreeBuilder(
          places: groups[treeID] ?? [], reader: reader, leaves: leaves, scoreCount: scoreCount,
          thresholds: ONNXThresholds(cells: cells, isDouble: isDouble)
        )
        .tree(index: trees.count))
    }
    self.trees = trees
    featuresNeeded = (trees.flatMap(\.usedFeatures).max() ?? -1) + 1
    scale = aggregate == "AVERAGE" ? 1 / Double(max(1, trees.count)) : 1
    let base = try reader.doubles("base_values")
    switch base.count {
    case 0: baseScores = [Double](repeating: 0, count: scoreCount)
    case scoreCount: baseScores = base
    // A base for both of two classes whose weights are for one: only that one's counts.
    case 2 where isOneScore: baseScores = [base[1]]
    default: throw .malformed("\(base.count) base values for \(scoreCount) scores")
    }
    guard baseScores.allSatisfy({ $0.isFinite }) else { throw .malformed("a base value is not finite") }
  }

  private static func link(
    _ transform: String, classifies: Bool, isOneScore: Bool, allPositive: Bool
  ) throws(ModelProblem) -> TreeEnsemble.Link {
    switch (transform, isOneScore) {
    case ("NONE", false): return .identity
    case ("NONE", true):
      guard allPositive else { throw .unsupported("a classifier whose scores are no probabilities") }
      return .complement
    case ("LOGISTIC", true): return .logistic(slope: 1)
    case ("LOGISTIC", false): return .logisticEach(slope: 1)
    case ("SOFTMAX", false): return .softmax
    default: throw .unsupported("trees with the transform \(transform)")
    }
  }
}

/// A node's place in a file: its tree's number and its own.
struct ONNXNodeKey: Hashable {
  let tree: Int
  let node: Int
}

/// The parallel lists of a tree operator.
struct ONNXNodeReader {
  private let operatorNode: ONNXGraph.Node
  let keys: [ONNXNodeKey]
  let features: [Int]
  let thresholds: [Double]
  let modes: [String]
  let trueNodes: [Int]
  let falseNodes: [Int]
  let missingTracksTrue: [Int]
  let hitRates: [Double]

  init(_ node: ONNXGraph.Node) {
    operatorNode = node
    let attributes = node.attributes
    keys = zip(attributes["nodes_treeids"]?.integers ?? [], attributes["nodes_nodeids"]?.integers ?? [])
      .map(ONNXNodeKey.init)
    features = attributes["nodes_featureids"]?.integers ?? []
    thresholds = Self.doubles(node, "nodes_values")
    modes = attributes["nodes_modes"]?.texts ?? []
    trueNodes = attributes["nodes_truenodeids"]?.integers ?? []
    falseNodes = attributes["nodes_falsenodeids"]?.integers ?? []
    missingTracksTrue = attributes["nodes_missing_value_tracks_true"]?.integers ?? []
    hitRates = Self.doubles(node, "nodes_hitrates")
  }

  private static func doubles(_ node: ONNXGraph.Node, _ name: String) -> [Double] {
    if let tensor = node.attributes[name + "_as_tensor"]?.tensor { return tensor.numbers }
    return (node.attributes[name]?.floats ?? []).map(Double.init)
  }

  /// A list of numbers that may be absent, stored as floats or as a tensor.
  func doubles(_ name: String) throws(ModelProblem) -> [Double] {
    let values = Self.doubles(operatorNode, name)
    guard values.allSatisfy({ $0.isFinite }) else {
      throw .malformed("\"\(name)\" holds a number that is not finite")
    }
    return values
  }

  func integers(_ name: String, count: Int) throws(ModelProblem) -> [Int] {
    let values = operatorNode.attributes[name]?.integers ?? []
    guard values.count == count else {
      throw .malformed("\"\(name)\" holds \(values.count) numbers where \(count) are needed")
    }
    return values
  }

  /// The places of every tree's nodes, and the trees in the file's order.
  func nodesByTree() throws(ModelProblem) -> (groups: [Int: [Int]], order: [Int]) {
    let count = modes.count
    guard keys.count == count, features.count == count, thresholds.count == count, trueNodes.count == count,
      falseNodes.count == count, missingTracksTrue.isEmpty || missingTracksTrue.count == count, count > 0
    else { throw .malformed("the trees' lists are of different lengths") }
    var groups: [Int: [Int]] = [:]
    var order: [Int] = []
    for (place, key) in keys.enumerated() {
      if groups[key.tree] == nil { order.append(key.tree) }
      groups[key.tree, default: []].append(place)
    }
    return (groups, order)
  }
}

/// Builds one tree from its places in the lists.
struct ONNXTreeBuilder {
  let places: [Int]
  let reader: ONNXNodeReader
  let leaves: [ONNXNodeKey: [(output: Int, weight: Double)]]
  let scoreCount: Int
  let thresholds: ONNXThresholds

  func tree(index: Int) throws(ModelProblem) -> Tree {
    var places = places
    // The root is the node that no other leads to; it must stand first.
    var children: Set<Int> = []
    for place in places where reader.modes[place] != "LEAF" {
      children.insert(reader.trueNodes[place])
      children.insert(reader.falseNodes[place])
    }
    guard let root = places.firstIndex(where: { !children.contains(reader.keys[$0].node) }) else {
      throw .malformed("tree \(index) has no root")
    }
    places.swapAt(0, root)
    var indices: [Int: Int] = [:]
    for (position, place) in places.enumerated() {
      guard indices.updateValue(position, forKey: reader.keys[place].node) == nil else {
        throw .malformed("tree \(index) has two nodes \(reader.keys[place].node)")
      }
    }
    // Leaves of one output are stored as single numbers, others as one number an output.
    let outputs = Set(places.flatMap { leaves[reader.keys[$0]]?.map(\.output) ?? [] })
    let single = outputs.count == 1 ? outputs.first : nil
    let width = single == nil ? scoreCount : 1
    var nodes: [Tree.Node] = []
    var values: [Double] = []
    for place in places {
      if reader.modes[place] == "LEAF" {
        nodes.append(.leaf(valueIndex: values.count))
        var leaf = [Double](repeating: 0, count: width)
        for (output, weight) in leaves[reader.keys[place]] ?? [] {
          leaf[single == nil ? output : 0] += weight
        }
        values += leaf
      } else {
        nodes.append(try split(place, indices, index))
      }
    }
    let hasRates = reader.hitRates.count == reader.modes.count && Set(reader.hitRates).count > 1
    let covers = places.map { hasRates ? reader.hitRates[$0] : 0 }
    do throws(TreeError) {
      return try Tree(
        nodes: nodes, covers: covers, leafValues: values, output: single, valuesPerLeaf: width, index: index)
    } catch {
      throw error.modelProblem
    }
  }

  private func split(_ place: Int, _ indices: [Int: Int], _ tree: Int) throws(ModelProblem) -> Tree.Node {
    guard let yes = indices[reader.trueNodes[place]], let no = indices[reader.falseNodes[place]] else {
      throw .malformed("tree \(tree): a child that does not exist")
    }
    guard let mode = ONNXThresholds.Mode(rawValue: reader.modes[place]) else {
      throw .unsupported("splits of the mode \(reader.modes[place])")
    }
    let missingIsTrue = reader.missingTracksTrue.isEmpty ? false : reader.missingTracksTrue[place] != 0
    do throws(ModelProblem) {
      return try thresholds.split(
        mode, feature: reader.features[place], reader.thresholds[place], yes: yes, no: no,
        missingIsTrue: missingIsTrue)
    } catch .malformed(let problem) {
      throw .malformed("tree \(tree): \(problem)")
    }
  }
}

/// A split's question, in the precision of what the node reads.
struct ONNXThresholds {
  /// How a cell is compared with a split's value.
  enum Mode: String {
    case atMost = "BRANCH_LEQ"
    case below = "BRANCH_LT"
    case above = "BRANCH_GT"
    case atLeast = "BRANCH_GTE"
    case equal = "BRANCH_EQ"
    case unequal = "BRANCH_NEQ"
  }

  let cells: CellScales
  let isDouble: Bool

  private func atMost(_ feature: Int, _ value: Double) -> Float {
    isDouble ? cells.threshold(feature, atMost: value) : cells.threshold(feature, singleAtMost: value)
  }

  private func below(_ feature: Int, _ value: Double) -> Float {
    isDouble ? cells.threshold(feature, below: value) : cells.threshold(feature, singleBelow: value)
  }

  /// The node for a split.
  func split(
    _ mode: Mode, feature: Int, _ value: Double, yes: Int, no: Int, missingIsTrue: Bool
  ) throws(ModelProblem) -> Tree.Node {
    guard feature >= 0, feature < Limit.columns.value, !value.isNaN else {
      throw .malformed("feature \(feature), threshold \(value)")
    }
    switch mode {
    case .atMost:
      return .split(
        feature: feature, atMost: atMost(feature, value), left: yes, right: no, missingGoesLeft: missingIsTrue
      )
    case .below:
      return .split(
        feature: feature, atMost: below(feature, value), left: yes, right: no, missingGoesLeft: missingIsTrue)
    case .above:
      return .split(
        feature: feature, atMost: atMost(feature, value), left: no, right: yes,
        missingGoesLeft: !missingIsTrue)
    case .atLeast:
      return .split(
        feature: feature, atMost: below(feature, value), left: no, right: yes, missingGoesLeft: !missingIsTrue
      )
    case .equal, .unequal: throw .unsupported("splits on equality, which lead two ways to one node")
    }
  }
}
