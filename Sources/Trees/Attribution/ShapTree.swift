// A tree prepared for SHAP values: everything that does not depend on the row.

/// What the sweep over a tree's nodes needs.
///
/// Above a node, its feature may have been asked about before. With `z` the product of the cover fractions of all
/// questions about the feature down to the node, and `o` 1 where the row would follow all of them, the path's product
/// holds the factor `z + u (o − z)`. Both old and new `o` are 0 or 1 and a row that has left cannot come back, so an
/// edge has three states: still on, leaves here, had left. Of two siblings one is still on and the other leaves, or both had
/// left. At every quadrature point the tables hold new factor / old factor, and the change of `(o − z) / factor`, which is
/// the edge's share in the feature's value: summed down a path, all but the last question about a feature cancel. Where a
/// row had left, the quotient is new z / old z at every point, and the change is 0.
struct ShapTree: Sendable {
  /// Nodes in an order that puts parents first; the tree's own numbers. Siblings stand side by side, the left one first:
  /// those of pair `i` at `2 i + 1` and `2 i + 2`.
  let order: [Int]
  /// By pair: the place in `order` of the node that asks.
  let parents: [Int32]
  /// By pair: what is asked.
  let questions: [Tree.Node]
  /// By pair: the feature asked about, as a place in `features`.
  let slots: [Int32]
  /// By place in `order`: the first leaf value, or −1.
  let leaves: [Int32]
  /// By pair: the place of the nearest node above, or the one that asks, whose own pair's question was about the same feature;
  /// −1 where none was.
  let previous: [Int32]
  /// `[pairs, 2, 4, points]`: with the left sibling still on, and with the right one, the left one's and the right one's
  /// quotients, then their changes.
  let tables: [Double]
  /// `[pairs, 2]`: the quotients where the row had left before.
  let shares: [Double]
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
    var parents: [Int32] = []
    var previous: [Int32] = []
    var slots: [Int32] = []
    /// By place in `order`, z.
    var fractions = [1.0]
    var shares: [Double] = []
    var tables: [Double] = []
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
        while above > 0, slots[(above - 1) / 2] != slot { above = Int(parents[(above - 1) / 2]) }
        parents.append(Int32(place))
        slots.append(slot)
        previous.append(above > 0 ? Int32(above) : -1)
        let old = above > 0 ? fractions[above] : 1
        let whole = tree.covers[order[place]]
        // A side that no training row took has no cover; a vanishing share keeps quotients finite.
        let both = [node.left, node.right].map { child in
          max(whole > 0 ? tree.covers[Int(child)] / whole : 0.5, 1e-300)
        }
        for (child, share) in zip([node.left, node.right], both) {
          order.append(Int(child))
          fractions.append(max(old * share, 1e-300))
          shares.append(share)
        }
        let z = fractions.suffix(2)
        for isOn in [[1.0, 0.0], [0.0, 1.0]] {
          for (z, on) in zip(z, isOn) {
            tables += points.map { (z + $0 * (on - z)) / (old + $0 * (1 - old)) }
          }
          for (z, on) in zip(z, isOn) {
            tables += points.map { (on - z) / (z + $0 * (on - z)) - (1 - old) / (old + $0 * (1 - old)) }
          }
        }
      }
      place += 1
    }
    self.order = order
    self.parents = parents
    self.questions = questions
    self.previous = previous
    self.slots = slots
    self.tables = tables
    self.shares = shares
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
