// The ways to the leaves of one tree, their questions gathered by feature, one after the other in memory.

import CKernels
import Tables
import Tensors

/// Every way from a tree's root to a leaf.
///
/// A way has a part for each feature that it asks about; part `p` of way `w` is one of `starts[w]..<starts[w + 1]`, and its
/// questions are `questionStarts[p]..<questionStarts[p + 1]`.
struct LeafPaths: Sendable {
  /// The first of each leaf's numbers.
  private var leaves: [Int] = []
  private var starts = [0]
  /// The product of the cover fractions of each part.
  private var fractions: [Double] = []
  /// The place of each part's feature among those that are summed for.
  private var places: [Int] = []
  private var questionStarts = [0]
  /// The nodes that ask, and whether the way goes left there.
  private var questions: [(node: Int32, left: Bool)] = []
  /// The most parts of a way.
  private(set) var longest = 1

  /// One feature's part of a way in the making.
  private struct Part {
    var feature: Int
    var fraction: Double
    var questions: [(node: Int32, left: Bool)]
  }

  /// - Parameter places: the place of each of the model's features; none where only the cost is asked for.
  init(_ tree: Tree, places: [Int]) {
    var pending: [(node: Int, parts: [Part])] = [(0, [])]
    while let (index, parts) = pending.popLast() {
      let node = tree.nodes[index]
      if node.isLeaf {
        add(Int(node.left), parts, places)
        continue
      }
      let whole = tree.covers[index]
      for (child, left) in [(Int(node.left), true), (Int(node.right), false)] {
        // A side that no training row took has no cover; a vanishing share keeps quotients finite.
        let share = max(whole > 0 ? tree.covers[child] / whole : 0.5, 1e-300)
        var below = parts
        if let place = below.firstIndex(where: { $0.feature == Int(node.feature) }) {
          below[place].fraction = max(below[place].fraction * share, 1e-300)
          below[place].questions.append((Int32(index), left))
        } else {
          below.append(Part(feature: Int(node.feature), fraction: share, questions: [(Int32(index), left)]))
        }
        pending.append((child, below))
      }
    }
  }

  private mutating func add(_ leaf: Int, _ parts: [Part], _ placeOf: [Int]) {
    leaves.append(leaf)
    for part in parts {
      fractions.append(part.fraction)
      places.append(placeOf.isEmpty ? 0 : placeOf[part.feature])
      questions += part.questions
      questionStarts.append(questions.count)
    }
    starts.append(fractions.count)
    longest = max(longest, parts.count)
  }

  /// About how many multiplications the interaction values of one row take.
  var cost: Double {
    leaves.indices.reduce(0.0) { sum, path in
      let parts = starts[path + 1] - starts[path]
      return sum + Double(parts * parts * max(1, parts / 2))
    }
  }

  /// Adds half of every pair's interaction index on a row at one of its two places, `sums[first · stride + second]`.
  ///
  /// - Parameters:
  ///   - cells: the row.
  ///   - score: which of a leaf's numbers counts.
  ///   - rule: of a number of points that is a multiple of 4.
  func addInteractions(
    of tree: Tree, on cells: [Float], scale: Double, score: Int, _ rule: GaussLegendre,
    to sums: inout [Double], stride: Int
  ) {
    let goesLeft = tree.nodes.map { $0.isLeaf ? false : tree.goesLeft(cells[Int($0.feature)], at: $0) }
    let points = rule.points.count
    withUnsafeTemporaryAllocation(
      of: Double.self, capacity: longest + longest * longest + (longest + 1) * points
    ) {
      room in
      guard let steps = room.baseAddress else { return }
      let (pairs, scratch) = (steps + longest, steps + longest + longest * longest)
      for (path, leaf) in leaves.enumerated() {
        let parts = starts[path]..<starts[path + 1]
        let count = parts.count
        guard count > 1 else { continue }
        for (place, part) in parts.enumerated() {
          let own = questionStarts[part]..<questionStarts[part + 1]
          let follows = own.allSatisfy { goesLeft[Int(questions[$0].node)] == questions[$0].left }
          steps[place] = (follows ? 1 : 0) - fractions[part]
        }
        fractions.withUnsafeBufferPointer { fractions in
          guard let base = fractions.baseAddress else { return }
          ck_interaction_pairs(
            base + parts.lowerBound, steps, count, rule.points, rule.weights, points / 4,
            0.5 * scale * tree.leafValues[leaf + score], scratch, pairs)
        }
        for first in 0..<count - 1 {
          let target = places[parts.lowerBound + first] * stride
          for second in first + 1..<count {
            sums[target + places[parts.lowerBound + second]] += pairs[first * count + second]
          }
        }
      }
    }
  }
}
