// Exact SHAP values of tree ensembles (Lundberg et al. 2020, path-dependent perturbation), by quadrature.
//
// For a leaf of value v on whose path the features j stand, φᵢ gets v · (oᵢ − zᵢ) · ∫₀¹ Πⱼ≠ᵢ (zⱼ + u (oⱼ − zⱼ)) du
// (Quadrature-TreeSHAP). The integrand is a polynomial, so that few Gauss–Legendre points give the integral exactly, and
// products over points vectorise where the original algorithm's loops over path lengths do not.

import CKernels
import Tables
import Tensors

/// Contributions of features to the scores of rows: they add up to the score minus `baseScores`.
public struct ShapValues: Sendable, Equatable {
  /// The features that some tree asks about, as places among the model's features; all others contribute 0.
  public let features: [Int]
  /// The number of rows.
  public let rowCount: Int
  /// Contributions `[rows, features, scores]`, row-major.
  public let values: [Double]
  /// The mean score over the training rows.
  public let baseScores: [Double]

  /// The number of scores.
  public var scoreCount: Int { baseScores.count }

  /// The contributions of one row to one score, in the order of `features`.
  public func contributions(row: Int, score: Int) -> [Double] {
    features.indices.map { values[(row * features.count + $0) * scoreCount + score] }
  }
}

extension TreeEnsemble {
  /// SHAP values of every row: of the scores, before the link.
  ///
  /// Exact, however many different features stand on a path: the longest one decides how many points integrate.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func shapValues(_ features: Features) throws(TableError) -> ShapValues {
    let table = try features.aligned(to: featureNames, kinds: featureKinds)
    let used = usedFeatures
    var placeOf = [Int](repeating: -1, count: featureNames.count)
    for (place, feature) in used.enumerated() { placeOf[feature] = place }
    let (rows, width) = (table.rowCount, scoreCount)
    var values = [Double](repeating: 0, count: rows * used.count * width)
    var bases = baseScores
    for tree in trees {
      for (score, mean) in ShapTree.mean(tree, width: tree.output == nil ? width : 1).enumerated() {
        bases[(tree.output ?? 0) + score] += scale * mean
      }
    }
    let grown = trees.filter { $0.nodes.count > 1 }
    let rowsAtOnce = max(1, min(ShapSweep.rowsAtOnce, (rows + Threads.count - 1) / Threads.count))
    for start in stride(from: 0, to: grown.count, by: ShapSweep.treesAtOnce) {
      let sweeps = grown[start..<min(start + ShapSweep.treesAtOnce, grown.count)].map {
        ShapSweep($0, width: $0.output == nil ? width : 1, placeOf: placeOf)
      }
      values.withUnsafeMutableBufferPointer { values in
        guard let base = values.baseAddress else { return }
        let shared = SendablePointer(base)
        parallelFor((rows + rowsAtOnce - 1) / rowsAtOnce) { block in
          let first = block * rowsAtOnce
          let range = first..<min(first + rowsAtOnce, rows)
          for sweep in sweeps {
            sweep.add(range, table, to: shared, stride: used.count, scores: width, scale: scale)
          }
        }
      }
    }
    return ShapValues(features: used, rowCount: rows, values: values, baseScores: bases)
  }
}

/// One prepared tree, swept row by row.
private struct ShapSweep: Sendable {
  let tree: Tree
  let prepared: ShapTree
  let weights: [Double]
  /// Numbers in a leaf.
  let width: Int
  /// The numbers of a leaf that are swept: where all leaves add up to the same, as probabilities do, the last number's
  /// contributions are what takes the others' away.
  let swept: Int
  /// The place among the ensemble's used features of each of the tree's.
  let places: [Int]

  /// Trees that are prepared together: enough for threads to be woken seldom, few enough to stay in cache.
  static let treesAtOnce = 16
  /// Rows that a thread takes at a time, at most.
  static let rowsAtOnce = 64

  init(_ tree: Tree, width: Int, placeOf: [Int]) {
    self.tree = tree
    self.width = width
    swept = width > 1 && Self.addUpAlike(tree, width: width) ? width - 1 : width
    let quadrature = GaussLegendre(exactForPathsOf: ShapTree.mostFeaturesOnAPath(tree))
    prepared = ShapTree(tree, points: quadrature.points)
    weights = quadrature.weights
    places = prepared.features.map { placeOf[$0] }
  }

  /// Whether the numbers of every leaf have the same sum, but for rounding.
  private static func addUpAlike(_ tree: Tree, width: Int) -> Bool {
    var first: Double?
    for node in tree.nodes where node.isLeaf {
      let start = Int(node.left)
      let sum = tree.leafValues[start..<start + width].reduce(0, +)
      guard let expected = first else {
        first = sum
        continue
      }
      if abs(sum - expected) > 1e-12 * max(1, abs(expected)) { return false }
    }
    return true
  }

  func add(
    _ rows: Range<Int>, _ table: Features, to target: SendablePointer<Double>, stride: Int, scores: Int,
    scale: Double
  ) {
    let first = tree.output ?? 0
    let (count, points) = (prepared.order.count, weights.count)
    let products = UnsafeMutablePointer<Double>.allocate(capacity: count * points)
    let sums = UnsafeMutablePointer<Double>.allocate(capacity: count * swept * points)
    let pairs = prepared.parents.count
    let states = UnsafeMutablePointer<UInt8>.allocate(capacity: pairs)
    let slotCount = places.count
    let attributions = UnsafeMutablePointer<Double>.allocate(capacity: slotCount * swept * points)
    defer {
      products.deallocate()
      sums.deallocate()
      states.deallocate()
      attributions.deallocate()
    }
    table.withCells { cells in
      for row in rows {
        setStates(states, cells.base + cells.place(of: row), cells.storedRowCount)
        attributions.update(repeating: 0, count: slotCount * swept * points)
        ck_shap_sweep(
          prepared.parents, prepared.slots, prepared.leaves, states, prepared.tables, prepared.shares,
          weights,
          points / 4, pairs, tree.leafValues, swept, products, sums, attributions)
        for (slot, place) in places.enumerated() {
          let own = target.base + (row * stride + place) * scores + first
          var others = 0.0
          for score in 0..<swept {
            var sum = 0.0
            for point in 0..<points { sum += attributions[(slot * swept + score) * points + point] }
            own[score] += scale * sum
            others += scale * sum
          }
          if swept < width { own[swept] -= others }
        }
      }
    }
  }

  /// By pair of siblings: 0 where the row follows all questions about its feature down to the left one, 1 down to the right
  /// one, 2 where it had left before.
  private func setStates(
    _ states: UnsafeMutablePointer<UInt8>, _ cells: UnsafePointer<Float>, _ stride: Int
  ) {
    prepared.questions.withUnsafeBufferPointer { questions in
      prepared.previous.withUnsafeBufferPointer { previous in
        for (pair, node) in questions.enumerated() {
          let above = Int(previous[pair])
          if above >= 0, Int(states[(above - 1) / 2]) != (above - 1) % 2 {
            states[pair] = 2
          } else {
            states[pair] = tree.goesLeft(cells[Int(node.feature) * stride], at: node) ? 0 : 1
          }
        }
      }
    }
  }
}
