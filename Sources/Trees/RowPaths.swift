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
  /// `[rows, trees]`: where the values of the leaf that a row reaches start.
  private let leaves: [Int32]
  /// `[rows, trees]`: the features asked about on the way, feature `f` as bit `f mod 64`.
  private let asked: [UInt64]

  /// Sends rows through all trees.
  /// - Throws: `TableError` where a feature of the ensemble is not among `features`.
  public init(_ ensemble: TreeEnsemble, _ features: Features) throws(TableError) {
    let table = try features.aligned(to: ensemble.featureNames, kinds: ensemble.featureKinds)
    let (rows, trees) = (table.rowCount, ensemble.trees)
    var leaves = [Int32](repeating: 0, count: rows * trees.count)
    var asked = [UInt64](repeating: 0, count: rows * trees.count)
    leaves.withUnsafeMutableBufferPointer { leaves in
      asked.withUnsafeMutableBufferPointer { asked in
        guard let first = leaves.baseAddress, let firstAsked = asked.baseAddress else { return }
        let (ends, ways) = (SendablePointer(first), SendablePointer(firstAsked))
        table.withCells { cells in
          parallelRanges(rows, minimum: 64) { range in
            for (index, tree) in trees.enumerated() {
              for row in range {
                let own = cells.base + cells.place(of: row)
                var way: UInt64 = 0
                let leaf = tree.firstLeafValue { feature in
                  way |= Self.bit(feature)
                  return own[feature * cells.storedRowCount]
                }
                ends.base[row * trees.count + index] = leaf
                ways.base[row * trees.count + index] = way
              }
            }
          }
        }
      }
    }
    self.ensemble = ensemble
    self.features = table
    self.leaves = leaves
    self.asked = asked
  }

  @inline(__always)
  fileprivate static func bit(_ feature: Int) -> UInt64 { 1 << UInt64(feature & 63) }

  /// Predictions for copies of one row, each with other cells, shape `[copies, outputs]`.
  ///
  /// Fastest where copies differ from each other in one cell: those of one feature go down a tree together, and part only
  /// where it is asked about.
  /// - Precondition: features of the ensemble.
  public func predictions(row: Int, changing copies: [[Cell]]) -> Tensor {
    let (width, outputs) = (ensemble.scoreCount, ensemble.outputNames.count)
    let plan = RowCopies(copies)
    let sums = sums(row: row, plan)
    var places = [Int](repeating: 0, count: copies.count)
    for (place, copy) in plan.order.enumerated() { places[copy] = place }
    return Tensor(shape: [copies.count, outputs]) { target in
      var scores = [Double](repeating: 0, count: width)
      for (copy, place) in places.enumerated() {
        for score in 0..<width {
          scores[score] = ensemble.baseScores[score] + ensemble.scale * sums[score * copies.count + place]
        }
        for (output, value) in ensemble.link.predictions(scores).enumerated() {
          target[copy * outputs + output] = Float(value)
        }
      }
    }
  }

  /// Sums of leaf values `[scores, copies]`, in the order of the trees; copies in the plan's order.
  private func sums(row: Int, _ plan: RowCopies) -> [Double] {
    let (width, count, trees) = (ensemble.scoreCount, plan.order.count, ensemble.trees.count)
    var sums = [Double](repeating: 0, count: count * width)
    var cells = features.row(row)
    for cell in plan.common { cells[cell.feature] = cell.value }
    let moved = Self.bits(plan.common)
    var descent = Descent(plan)
    sums.withUnsafeMutableBufferPointer { sums in
      for (index, tree) in ensemble.trees.enumerated() {
        var (leaf, way) = (leaves[row * trees + index], asked[row * trees + index])
        if way & moved != 0 {
          way = 0
          leaf = tree.firstLeafValue { feature in
            way |= Self.bit(feature)
            return cells[feature]
          }
        }
        tree.leafValues.withUnsafeBufferPointer { leafValues in
          for group in plan.groups {
            let isAsked = group.way & way != 0
            if isAsked { descent.descend(tree, group, row: cells) }
            for score in 0..<(tree.output == nil ? width : 1) {
              let start = (tree.output ?? score) * count
              if isAsked {
                for place in group.range {
                  sums[start + place] += leafValues[Int(descent.leaves[place]) + score]
                }
              } else {
                let value = leafValues[Int(leaf) + score]
                for place in group.range { sums[start + place] += value }
              }
            }
          }
        }
      }
    }
    return sums
  }

  fileprivate static func bits(_ cells: [Cell]) -> UInt64 { cells.reduce(0) { $0 | bit($1.feature) } }
}

/// Copies of a row with other cells, in groups that go down trees together.
private struct RowCopies {
  /// Cells that all copies share.
  var common: [RowPaths.Cell] = []
  /// The copies, group by group.
  var order: [Int] = []
  var groups: [Group] = []
  /// The other cells that are not common, copy by copy in `order`, and where each copy's begin.
  var cells: [RowPaths.Cell] = []
  var starts = [0]

  struct Group {
    /// Places in `order`.
    var range: Range<Int>
    /// The only feature whose cells differ; nil in the last group, of copies with any number of other cells.
    var feature: Int?
    /// The features with other cells, as in `RowPaths.asked`.
    var way: UInt64
  }

  init(_ copies: [[RowPaths.Cell]]) {
    guard let first = copies.first else { return }
    common = first.filter { cell in copies.allSatisfy { $0.contains { $0.isSame(as: cell) } } }
    let shared = common
    let rest = copies.map { copy in copy.filter { cell in !shared.contains { $0.isSame(as: cell) } } }
    let single = Dictionary(grouping: rest.indices.filter { rest[$0].count == 1 }) { rest[$0][0].feature }
    for (feature, members) in single.sorted(by: { $0.key < $1.key }) { add(members, of: rest, feature) }
    let mixed = rest.indices.filter { rest[$0].count != 1 }
    if !mixed.isEmpty { add(mixed, of: rest, nil) }
  }

  /// A copy's other cell of a feature.
  func value(of feature: Int, at place: Int) -> Float? {
    for index in starts[place]..<starts[place + 1] where cells[index].feature == feature {
      return cells[index].value
    }
    return nil
  }

  private mutating func add(_ members: [Int], of copies: [[RowPaths.Cell]], _ feature: Int?) {
    groups.append(
      Group(
        range: order.count..<order.count + members.count, feature: feature,
        way: RowPaths.bits(members.flatMap { copies[$0] })))
    order += members
    for member in members {
      cells += copies[member]
      starts.append(cells.count)
    }
  }
}

extension RowPaths.Cell {
  fileprivate func isSame(as other: Self) -> Bool {
    feature == other.feature && (value == other.value || (value.isNaN && other.value.isNaN))
  }
}

/// The leaves that copies of a row reach in one tree.
private struct Descent {
  /// By place, where the values of the leaf start; of groups that have gone down last.
  private(set) var leaves: [Int32]
  private let copies: RowCopies
  private var places: [Int]
  private var pending: [(node: Int32, range: Range<Int>)] = []

  init(_ copies: RowCopies) {
    self.copies = copies
    leaves = [Int32](repeating: 0, count: copies.order.count)
    places = Array(copies.order.indices)
  }

  /// Sends a group down a tree.
  /// - Parameter row: the row with the cells that all copies share.
  mutating func descend(_ tree: Tree, _ group: RowCopies.Group, row: [Float]) {
    let copies = copies
    pending.append((0, group.range))
    while var (index, range) = pending.popLast() {
      var node = tree.nodes[Int(index)]
      while !node.isLeaf {
        let asked = Int(node.feature)
        let middle =
          if let feature = group.feature {
            feature == asked
              ? Self.part(&places, range) { tree.goesLeft(copies.cells[copies.starts[$0]].value, at: node) }
              : nil as Int?
          } else if group.way & RowPaths.bit(asked) != 0 {
            Self.part(&places, range) {
              tree.goesLeft(copies.value(of: asked, at: $0) ?? row[asked], at: node)
            }
          } else {
            nil as Int?
          }
        if let middle {
          if middle == range.lowerBound {
            index = node.right
          } else {
            if middle < range.upperBound { pending.append((node.right, middle..<range.upperBound)) }
            range = range.lowerBound..<middle
            index = node.left
          }
        } else {
          index = tree.goesLeft(row[asked], at: node) ? node.left : node.right
        }
        node = tree.nodes[Int(index)]
      }
      for place in range { leaves[places[place]] = node.left }
    }
  }

  /// Puts the places of the copies that go left first; returns where the others begin.
  private static func part(_ places: inout [Int], _ range: Range<Int>, _ goesLeft: (Int) -> Bool) -> Int {
    var middle = range.lowerBound
    for place in range where goesLeft(places[place]) {
      places.swapAt(place, middle)
      middle += 1
    }
    return middle
  }
}
