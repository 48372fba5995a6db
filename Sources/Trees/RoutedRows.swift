// Rows that an ensemble has answered, with the leaves they reached: a changed column re-routes only the trees that ask
// about it.

import Tables
import Tensors

/// A table that has passed through an ensemble, ready for questions of the kind "what if this column were other?".
///
/// A row whose leaves stay the same keeps its prediction; any other row's scores are added up anew from the leaves, in
/// the order of the trees, so that answers equal `TreeEnsemble.predict` on the changed table to the last bit.
/// Memory: 4 bytes for each row and tree.
public struct RoutedRows: Sendable {
  /// The trees.
  public let ensemble: TreeEnsemble
  /// The rows, with the ensemble's features in its order.
  public let features: Features
  /// Predictions for the rows as they are, shape `[rows, outputs]`.
  public let predictions: Tensor
  private let flat: FlatTrees
  /// `[rows, trees]`: where the values of the leaf that a row reaches start, as `flat` has them.
  private let leaves: [Int32]
  /// By feature, the trees that ask about it, in rising order.
  private let treesAsking: [[Int]]

  /// Sends rows through all trees.
  /// - Throws: `TableError` where a feature of the ensemble is not among `features`.
  public init(_ ensemble: TreeEnsemble, _ features: Features) throws(TableError) {
    let table = try features.aligned(to: ensemble.featureNames, kinds: ensemble.featureKinds)
    let (rows, trees) = (table.rowCount, ensemble.trees.count)
    let flat = FlatTrees(ensemble.trees)
    var leaves = [Int32](repeating: 0, count: rows * trees)
    leaves.withUnsafeMutableBufferPointer { target in
      guard let base = target.baseAddress else { return }
      let shared = SendablePointer(base)
      flat.route(table) { row, tree, leaf, _ in shared.base[row * trees + tree] = leaf }
    }
    var treesAsking = [[Int]](repeating: [], count: table.count)
    for (index, tree) in ensemble.trees.enumerated() {
      for feature in tree.usedFeatures { treesAsking[feature].append(index) }
    }
    self.ensemble = ensemble
    self.features = table
    self.leaves = leaves
    self.treesAsking = treesAsking
    self.flat = flat
    predictions = try ensemble.predict(table)
  }

  /// Predictions for the rows with other cells in some columns, shape `[rows, outputs]`.
  ///
  /// Time: a walk down the trees that ask about these columns for every row, and a sum over all trees for every row
  /// that some walk leads elsewhere.
  /// - Precondition: features of the ensemble, each at most once, and a cell for every row.
  public func predictions(replacing columns: [ReplacedColumn]) -> Tensor {
    let rows = features.rowCount
    var places = [Int](repeating: -1, count: features.count)
    for (place, column) in columns.enumerated() {
      precondition(
        column.cells.count == rows && places[column.feature] < 0,
        "\(column.cells.count) cells for \(rows) rows of feature \(column.feature)")
      places[column.feature] = place
    }
    let placeOf = places
    let cells = columns.flatMap(\.cells)
    let asked = Set(columns.flatMap { treesAsking[$0.feature] }).sorted()
    guard rows > 0, !asked.isEmpty else { return predictions }
    // Waking a thread costs as much as some thousand walks.
    let enough = 64 + 8192 / asked.count
    var answer = predictions
    answer.withMutableValues { target in
      target.withUnsafeMutableBufferPointer { target in
        guard let base = target.baseAddress else { return }
        let shared = SendablePointer(base)
        parallelRanges(rows, minimum: enough) { range in
          // As in `scores`: the columns a tree asks about stay in cache while all rows of a block pass it.
          for start in stride(from: range.lowerBound, to: range.upperBound, by: 256) {
            let block = start..<min(start + 256, range.upperBound)
            let found = walk(asked, block, placeOf: placeOf, cells: cells)
            write(found, of: asked, block, to: shared)
          }
        }
      }
    }
    return answer
  }

  /// The leaves that rows reach in some trees when some columns hold other cells, `[trees, rows]`.
  ///
  /// - Parameters:
  ///   - placeOf: by feature, its place among the other columns, or −1.
  ///   - cells: the other columns, one after the other.
  private func walk(_ asked: [Int], _ rows: Range<Int>, placeOf: [Int], cells: [Float]) -> [Int32] {
    let rowCount = features.rowCount
    var found: [Int32] = []
    found.reserveCapacity(asked.count * rows.count)
    placeOf.withUnsafeBufferPointer { placeOf in
      features.withCells { own in
        cells.withUnsafeBufferPointer { other in
          flat.withWays { ways in
            for index in asked {
              for row in rows {
                found.append(
                  ways.leaf(from: Int(ways.roots[index]), of: index) { feature in
                    let place = placeOf[feature]
                    return place < 0 ? own[row, feature] : other[place * rowCount + row]
                  })
              }
            }
          }
        }
      }
    }
    return found
  }

  /// Predicts the rows of which some leaf has moved.
  private func write(
    _ found: [Int32], of asked: [Int], _ rows: Range<Int>, to target: SendablePointer<Float>
  ) {
    let (count, predicted) = (ensemble.trees.count, ensemble.outputNames.count)
    var path = [Int32](repeating: 0, count: count)
    var scores = [Double](repeating: 0, count: ensemble.scoreCount)
    for row in rows {
      let place = row - rows.lowerBound
      let moved = asked.indices.contains { tree in
        found[tree * rows.count + place] != leaves[row * count + asked[tree]]
      }
      guard moved else { continue }
      for tree in 0..<count { path[tree] = leaves[row * count + tree] }
      for (tree, index) in asked.enumerated() { path[index] = found[tree * rows.count + place] }
      add(path, to: &scores)
      for (output, value) in ensemble.link.predictions(scores).enumerated() {
        target.base[row * predicted + output] = Float(value)
      }
    }
  }

  /// A row's scores from its leaves, added up in the order of the trees.
  private func add(_ path: [Int32], to scores: inout [Double]) {
    for score in scores.indices { scores[score] = 0 }
    flat.withWays { ways in
      for (tree, leaf) in path.enumerated() {
        let output = flat.outputs[tree]
        if output >= 0 {
          scores[output] += ways.leafValues[Int(leaf)]
        } else {
          for score in scores.indices { scores[score] += ways.leafValues[Int(leaf) + score] }
        }
      }
    }
    for score in scores.indices {
      scores[score] = ensemble.baseScores[score] + ensemble.scale * scores[score]
    }
  }
}
