// Rows with the paths they take through an ensemble: a few other cells re-route only the trees that ask about them on the
// way.

import Tables
import Tensors

/// Rows on their way through trees, ready for questions of the kind "what if these cells of this row were other?".
///
/// A tree is walked again where the row's path through it asks about a changed feature; `RoutedRows` answers the same for
/// whole columns. Answers equal `TreeEnsemble.predict` on the changed row to the last bit. Memory: 12 bytes for each row
/// and tree.
public struct RowPaths: Sendable {
  /// Another value for one feature.
  public struct Cell: Sendable, Equatable {
    /// The feature's place among the ensemble's.
    public var feature: Int
    /// Its value.
    public var value: Float

    /// Another value for a feature.
    public init(feature: Int, value: Float) {
      self.feature = feature
      self.value = value
    }
  }

  /// The trees.
  public let ensemble: TreeEnsemble
  /// The rows, with the ensemble's features in its order.
  private let features: Features
  private let flat: FlatTrees
  /// `[rows, trees]`: where the values of the leaf that a row reaches start, as `flat` has them.
  private let leaves: [Int32]
  /// `[rows, trees]`: the features asked about on the way, feature `f` as bit `f mod 64`.
  private let asked: [UInt64]

  /// Sends rows through all trees.
  /// - Throws: `TableError` where a feature of the ensemble is not among `features`.
  public init(_ ensemble: TreeEnsemble, _ features: Features) throws(TableError) {
    let table = try features.aligned(to: ensemble.featureNames, kinds: ensemble.featureKinds)
    let (rows, trees) = (table.rowCount, ensemble.trees.count)
    let flat = FlatTrees(ensemble.trees)
    var leaves = [Int32](repeating: 0, count: rows * trees)
    var asked = [UInt64](repeating: 0, count: rows * trees)
    leaves.withUnsafeMutableBufferPointer { leaves in
      asked.withUnsafeMutableBufferPointer { asked in
        guard let first = leaves.baseAddress, let firstAsked = asked.baseAddress else { return }
        let (ends, ways) = (SendablePointer(first), SendablePointer(firstAsked))
        flat.route(table) { row, tree, leaf, way in
          ends.base[row * trees + tree] = leaf
          ways.base[row * trees + tree] = way
        }
      }
    }
    self.ensemble = ensemble
    self.features = table
    self.flat = flat
    self.leaves = leaves
    self.asked = asked
  }

  /// Predictions for copies of one row, each with other cells, shape `[copies, outputs]`.
  ///
  /// Cells that all copies share cost one way down a tree; a copy costs what is left of the way from where it parts.
  /// - Precondition: features of the ensemble, each once in a copy.
  public func predictions(row: Int, changing copies: [[Cell]]) -> Tensor {
    let (width, outputs, count) = (ensemble.scoreCount, ensemble.outputNames.count, copies.count)
    let sums = sums(row: row, RowCopies(copies, featureCount: ensemble.featureNames.count))
    return Tensor(shape: [count, outputs]) { target in
      var scores = [Double](repeating: 0, count: width)
      for copy in 0..<count {
        for score in 0..<width {
          scores[score] = ensemble.baseScores[score] + ensemble.scale * sums[score * count + copy]
        }
        for (output, value) in ensemble.link.predictions(scores).enumerated() {
          target[copy * outputs + output] = Float(value)
        }
      }
    }
  }

  /// Sums of leaf values `[scores, copies]`, in the order of the trees.
  private func sums(row: Int, _ copies: RowCopies) -> [Double] {
    let (width, count, trees) = (ensemble.scoreCount, copies.count, flat.trees.count)
    var sums = [Double](repeating: 0, count: count * width)
    var cells = features.row(row)
    for cell in copies.common { cells[cell.feature] = cell.value }
    let moved = Self.bits(copies.common)
    var ends = [Int32](repeating: 0, count: count)
    sums.withUnsafeMutableBufferPointer { sums in
      ends.withUnsafeMutableBufferPointer { ends in
        cells.withUnsafeMutableBufferPointer { cells in
          let (own, asked) = (leaves, asked)
          flat.withWays { ways in
            copies.withEntries { entries in
              for tree in 0..<trees {
                let together =
                  asked[row * trees + tree] & (moved | copies.way) == 0
                  ? own[row * trees + tree] : entries.descend(ways, tree, cells, into: ends)
                let output = flat.outputs[tree]
                for score in 0..<(output < 0 ? width : 1) {
                  let target = sums.baseAddress.map { $0 + (output < 0 ? score : output) * count }
                  guard let target else { continue }
                  if let together {
                    let value = ways.leafValues[Int(together) + score]
                    for copy in 0..<count { target[copy] += value }
                  } else {
                    for copy in 0..<count { target[copy] += ways.leafValues[Int(ends[copy]) + score] }
                  }
                }
              }
            }
          }
        }
      }
    }
    return sums
  }

  fileprivate static func bits(_ cells: [Cell]) -> UInt64 {
    cells.reduce(0) { $0 | FlatTrees.bit($1.feature) }
  }
}

/// Copies of a row with other cells.
private struct RowCopies {
  /// The number of copies.
  let count: Int
  /// Cells that all copies share.
  let common: [RowPaths.Cell]
  /// The features with other cells that are not common, as in `RowPaths.asked`.
  let way: UInt64
  /// The cells that are not common, feature by feature, each with its copy; those of one feature are
  /// `featureStarts[feature]..<featureStarts[feature + 1]`.
  private let byFeature: [(copy: Int32, value: Float)]
  private let featureStarts: [Int32]
  /// The same copy by copy.
  private let byCopy: [RowPaths.Cell]
  private let copyStarts: [Int32]

  init(_ copies: [[RowPaths.Cell]], featureCount: Int) {
    count = copies.count
    // By feature, how many copies from the first on have the first one's cell.
    var holders = [Int](repeating: 0, count: featureCount)
    var shared = [Float](repeating: 0, count: featureCount)
    for (place, copy) in copies.enumerated() {
      for cell in copy
      where place == 0 || (holders[cell.feature] == place && cell.isSame(as: shared[cell.feature])) {
        shared[cell.feature] = cell.value
        holders[cell.feature] = place + 1
      }
    }
    common = (copies.first ?? []).filter { holders[$0.feature] == copies.count }
    var byCopy: [RowPaths.Cell] = []
    var copyStarts: [Int32] = [0]
    var starts = [Int32](repeating: 0, count: featureCount + 1)
    for copy in copies {
      for cell in copy where holders[cell.feature] < copies.count {
        byCopy.append(cell)
        starts[cell.feature + 1] += 1
      }
      copyStarts.append(Int32(byCopy.count))
    }
    for feature in 0..<featureCount { starts[feature + 1] += starts[feature] }
    var byFeature = [(copy: Int32, value: Float)](repeating: (0, 0), count: byCopy.count)
    var next = starts
    for copy in copies.indices {
      for index in copyStarts[copy]..<copyStarts[copy + 1] {
        let cell = byCopy[Int(index)]
        byFeature[Int(next[cell.feature])] = (Int32(copy), cell.value)
        next[cell.feature] += 1
      }
    }
    way = RowPaths.bits(byCopy)
    self.byFeature = byFeature
    featureStarts = starts
    self.byCopy = byCopy
    self.copyStarts = copyStarts
  }

  func withEntries(_ body: (Entries) -> Void) {
    byFeature.withUnsafeBufferPointer { byFeature in
      featureStarts.withUnsafeBufferPointer { featureStarts in
        byCopy.withUnsafeBufferPointer { byCopy in
          copyStarts.withUnsafeBufferPointer { copyStarts in
            body(
              Entries(
                byFeature: byFeature, featureStarts: featureStarts, byCopy: byCopy, copyStarts: copyStarts))
          }
        }
      }
    }
  }

  /// The cells in memory.
  struct Entries {
    let byFeature: UnsafeBufferPointer<(copy: Int32, value: Float)>
    let featureStarts: UnsafeBufferPointer<Int32>
    let byCopy: UnsafeBufferPointer<RowPaths.Cell>
    let copyStarts: UnsafeBufferPointer<Int32>

    /// Sends the copies down a tree.
    ///
    /// - Parameters:
    ///   - row: the row with the cells that all copies share.
    ///   - ends: gets where the values of each copy's leaf start, unless all reach the same.
    /// - Returns: where the values of the leaf that all copies reach start; nil where some part.
    func descend(
      _ ways: FlatTrees.Ways, _ tree: Int, _ row: UnsafeMutableBufferPointer<Float>,
      into ends: UnsafeMutableBufferPointer<Int32>
    ) -> Int32? {
      var hasParted = false
      var place = Int(ways.roots[tree])
      while !ways.steps[place].isLeaf {
        let feature = ways.steps[place].feature
        let isLeft = ways.goesLeft(row[feature], at: place, of: tree)
        let sides = (left: place + 1, right: Int(ways.steps[place].right))
        for index in featureStarts[feature]..<featureStarts[feature + 1] {
          let (copy, value) = byFeature[Int(index)]
          guard ways.goesLeft(value, at: place, of: tree) != isLeft else { continue }
          if !hasParted {
            hasParted = true
            ends.update(repeating: -1)
          }
          guard ends[Int(copy)] < 0 else { continue }
          ends[Int(copy)] = leaf(of: copy, from: isLeft ? sides.right : sides.left, ways, tree, row)
        }
        place = isLeft ? sides.left : sides.right
      }
      let own = ways.steps[place].right
      guard hasParted else { return own }
      for copy in ends.indices where ends[copy] < 0 { ends[copy] = own }
      return nil
    }

    /// Where the values of the leaf start that a copy reaches from a step on.
    private func leaf(
      of copy: Int32, from start: Int, _ ways: FlatTrees.Ways, _ tree: Int,
      _ row: UnsafeMutableBufferPointer<Float>
    ) -> Int32 {
      let own = Int(copyStarts[Int(copy)])..<Int(copyStarts[Int(copy) + 1])
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: own.count) { former in
        for (place, index) in own.enumerated() {
          former[place] = row[byCopy[index].feature]
          row[byCopy[index].feature] = byCopy[index].value
        }
        let leaf = ways.leaf(from: start, of: tree) { row[$0] }
        for (place, index) in own.enumerated() { row[byCopy[index].feature] = former[place] }
        return leaf
      }
    }
  }
}

extension RowPaths.Cell {
  fileprivate func isSame(as other: Float) -> Bool { value == other || (value.isNaN && other.isNaN) }
}
