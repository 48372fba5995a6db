// TreeEnsemble of ai.onnx.ml 5: nodes and leaves in lists of their own, every leaf with one target.

import Files
import Trees

extension ONNXTrees {
  /// The trees of a `TreeEnsemble` node.
  static func version5(_ node: ONNXGraph.Node, _ thresholds: ONNXThresholds) throws(ModelProblem) -> ONNXTrees
  {
    let lists = try Version5Lists(node)
    let targets = node.attributes["n_targets"]?.integer ?? 1
    guard targets > 0, targets < Limit.columns.value,
      lists.leafTargets.allSatisfy({ $0 >= 0 && $0 < targets })
    else {
      throw .malformed("TreeEnsemble has \(targets) targets, and leaves for others")
    }
    var trees: [Tree] = []
    for root in lists.roots {
      trees.append(try lists.tree(root, index: trees.count, targets: targets, thresholds))
    }
    let aggregate = node.attributes["aggregate_function"]?.integer ?? 1
    guard aggregate == 0 || aggregate == 1 else {
      throw .unsupported("trees that are combined by their extremes")
    }
    let link: TreeEnsemble.Link
    switch node.attributes["post_transform"]?.integer ?? 0 {
    case 0: link = .identity
    case 1: link = .softmax
    case 2: link = .logisticEach(slope: 1)
    case let other: throw .unsupported("trees with the transform \(other)")
    }
    return ONNXTrees(
      trees: trees, baseScores: [Double](repeating: 0, count: targets),
      scale: aggregate == 0 ? 1 / Double(max(1, trees.count)) : 1, link: link)
  }

  /// The lists of a `TreeEnsemble` node.
  private struct Version5Lists {
    let roots: [Int]
    let leafTargets: [Int]
    private let leafWeights: [Double]
    private let features: [Int]
    private let splits: [Double]
    private let modes: [Int]
    private let trueNodes: [Int]
    private let falseNodes: [Int]
    private let trueIsLeaf: [Int]
    private let falseIsLeaf: [Int]
    private let missingTracksTrue: [Int]

    init(_ node: ONNXGraph.Node) throws(ModelProblem) {
      let attributes = node.attributes
      func integers(_ name: String) -> [Int] { attributes[name]?.integers ?? [] }
      func numbers(_ name: String) -> [Double] { attributes[name]?.tensor?.numbers ?? [] }
      roots = integers("tree_roots")
      leafTargets = integers("leaf_targetids")
      leafWeights = numbers("leaf_weights")
      features = integers("nodes_featureids")
      splits = numbers("nodes_splits")
      modes = attributes["nodes_modes"]?.tensor?.wholeNumbers ?? []
      trueNodes = integers("nodes_truenodeids")
      falseNodes = integers("nodes_falsenodeids")
      trueIsLeaf = integers("nodes_trueleafs")
      falseIsLeaf = integers("nodes_falseleafs")
      let missing = integers("nodes_missing_value_tracks_true")
      missingTracksTrue = missing.isEmpty ? [Int](repeating: 0, count: features.count) : missing
      let count = features.count
      guard !roots.isEmpty, leafTargets.count == leafWeights.count,
        [
          splits.count, modes.count, trueNodes.count, falseNodes.count, trueIsLeaf.count, falseIsLeaf.count,
          missingTracksTrue.count,
        ].allSatisfy({ $0 == count }), roots.allSatisfy({ $0 >= 0 && $0 < count })
      else { throw .malformed("the lists of TreeEnsemble are of different lengths") }
    }

    func tree(_ root: Int, index: Int, targets: Int, _ thresholds: ONNXThresholds) throws(ModelProblem)
      -> Tree
    {
      var nodes: [Tree.Node] = [.leaf(valueIndex: 0)]
      var values: [Double] = []
      // Where a node of the lists goes in this tree; leaves are written out wherever they are named.
      var pending: [(place: Int, number: Int, isLeaf: Bool)] = [(0, root, false)]
      var seen: Set<Int> = []
      while let next = pending.popLast() {
        if next.isLeaf {
          guard leafTargets.indices.contains(next.number) else {
            throw .malformed("tree \(index): leaf \(next.number)")
          }
          nodes[next.place] = .leaf(valueIndex: values.count)
          var leaf = [Double](repeating: 0, count: targets)
          leaf[leafTargets[next.number]] = leafWeights[next.number]
          values += leaf
          continue
        }
        guard features.indices.contains(next.number), seen.insert(next.number).inserted else {
          throw .malformed("tree \(index): node \(next.number)")
        }
        let names = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
        guard names.indices.contains(modes[next.number]),
          let mode = ONNXThresholds.Mode(rawValue: names[modes[next.number]])
        else { throw .unsupported("splits on membership") }
        let (yes, no) = (nodes.count, nodes.count + 1)
        nodes += [.leaf(valueIndex: 0), .leaf(valueIndex: 0)]
        nodes[next.place] = try thresholds.split(
          mode, feature: features[next.number], splits[next.number], yes: yes, no: no,
          missingIsTrue: missingTracksTrue[next.number] != 0)
        pending.append((no, falseNodes[next.number], falseIsLeaf[next.number] != 0))
        pending.append((yes, trueNodes[next.number], trueIsLeaf[next.number] != 0))
      }
      do throws(TreeError) {
        return try Tree(
          nodes: nodes, covers: [Double](repeating: 0, count: nodes.count), leafValues: values,
          output: targets == 1 ? 0 : nil, valuesPerLeaf: targets, index: index)
      } catch {
        throw error.modelProblem
      }
    }
  }
}
