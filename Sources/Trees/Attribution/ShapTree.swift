// A tree prepared for SHAP values: everything that does not depend on the row.

/// What the sweep over a tree's nodes needs.
///
/// Above a node, its feature may have been asked about before. With `z` the product of the cover fractions of all
/// questions about the feature down to the node, and `o` 1 where the row would follow all of them, the path's product
/// holds the factor `z + u (o − z)`. Both old and new `o` are 0 or 1 and a row that has left cannot come back, so an
/// edge has three states: still on (0), leaves here (1), had left (2). For each, at every quadrature point, the tables
/// hold new factor / old factor, and the change of `(o − z) / factor`, which is the edge's share in the feature's value:
/// summed down a path, all but the last question about a feature cancel.
struct ShapTree: Sendable {
  /// Nodes in an order that puts parents first; the tree's own numbers.
  let order: [Int]
  /// By place in `order`: the parent's place.
  let parents: [Int32]
  /// The splits, in the order of their children: siblings stand side by side, the left one first, so that the split above
  /// places `2 i + 1` and `2 i + 2` is the `i`-th.
  let questions: [Tree.Node]
  /// The feature asked about above a node, as a place in `features`.
  let slots: [Int32]
  /// The first leaf value, or −1.
  let leaves: [Int32]
  /// The place of the nearest node above whose question is about the same feature, or −1.
  let previous: [Int32]
  /// `[nodes, 6, points]`.
  let tables: [Double]
  /// The features asked about, in order of appearance.
  let features: [Int]

  /// The most different features on a path from the root to a leaf.
  static func mostFeaturesOnAPath(_ tree: Tree) -> Int {
    var most = 0
    var pending: [(node: Int, features: Set<Int32>)] = [(0, [])]
    while let (index, features) = pending.popLast() {
      let node = tree.nodes[index]
      if node.isLeaf {
        most = max(most, features.count)
      } else {
        let below = features.union([node.feature])
        pending.append((Int(node.left), below))
        pending.append((Int(node.right), below))
      }
    }
    return most
  }

  init(_ tree: Tree, points: [Double]) {
    var order = [0]
    var parents: [Int32] = [-1]
    var previous: [Int32] = [-1]
    var slots: [Int32] = [0]
    var fractions = [1.0]
    var questions: [Tree.Node] = []
    var features: [Int] = []
    var slotOf: [Int32: Int32] = [:]
    var place = 0
    while place < order.count {
      let node = tree.nodes[order[place]]
      if !node.isLeaf {
        questions.append(node)
        let slot = slotOf[node.feature] ?? Int32(features.count)
        if slotOf[node.feature] == nil {
          slotOf[node.feature] = slot
          features.append(Int(node.feature))
        }
        // The last question about this feature on the way here.
        var above = place
        while above > 0, slots[above] != slot { above = Int(parents[above]) }
        for child in [node.left, node.right] {
          order.append(Int(child))
          parents.append(Int32(place))
          slots.append(slot)
          previous.append(above > 0 ? Int32(above) : -1)
          let whole = tree.covers[order[place]]
          // A side that no training row took has no cover; a vanishing share keeps quotients finite.
          let share = whole > 0 ? tree.covers[Int(child)] / whole : 0.5
          fractions.append((above > 0 ? fractions[above] : 1) * max(share, 1e-300))
        }
      }
      place += 1
    }
    var tables = [Double](repeating: 0, count: order.count * 6 * points.count)
    for place in order.indices.dropFirst() {
      let z = fractions[place]
      let old = previous[place] >= 0 ? fractions[Int(previous[place])] : 1
      for (state, (oldOn, newOn)) in [(1.0, 1.0), (1.0, 0.0), (0.0, 0.0)].enumerated() {
        for (index, u) in points.enumerated() {
          let factor = z + u * (newOn - z)
          let oldFactor = old + u * (oldOn - old)
          let base = place * 6 * points.count + index
          tables[base + state * points.count] = factor / oldFactor
          tables[base + (3 + state) * points.count] = (newOn - z) / factor - (oldOn - old) / oldFactor
        }
      }
    }
    self.order = order
    self.parents = parents
    self.questions = questions
    self.previous = previous
    self.slots = slots
    self.tables = tables
    self.features = features
    leaves = order.map { tree.nodes[$0].isLeaf ? tree.nodes[$0].left : -1 }
  }

  /// The mean leaf value over the training rows, for each number of a leaf.
  static func mean(_ tree: Tree, width: Int) -> [Double] {
    var sums = [Double](repeating: 0, count: width)
    var pending: [(node: Int, share: Double)] = [(0, 1)]
    while let (index, share) = pending.popLast() {
      let node = tree.nodes[index]
      if node.isLeaf {
        for score in 0..<width { sums[score] += share * tree.leafValues[Int(node.left) + score] }
      } else {
        let whole = tree.covers[index]
        for child in [Int(node.left), Int(node.right)] {
          pending.append((child, share * (whole > 0 ? tree.covers[child] / whole : 0.5)))
        }
      }
    }
    return sums
  }
}
