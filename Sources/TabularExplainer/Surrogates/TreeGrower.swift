// A tree that fits several outputs at once, grown best split first.

import Tensors

/// How far a tree may grow.
public struct TreeLimits: Sendable, Equatable, Codable {
  /// The most leaves.
  public var leaves: Int
  /// The longest path, in splits.
  public var depth: Int
  /// The fewest rows in a leaf.
  public var rowsPerLeaf: Int

  /// Limits of a tree.
  public init(leaves: Int, depth: Int = 12, rowsPerLeaf: Int = 2) {
    self.leaves = leaves
    self.depth = depth
    self.rowsPerLeaf = rowsPerLeaf
  }
}

/// A question about one binned column.
struct BinnedSplit: Sendable {
  var column: Int
  /// Whether each code goes left; the last two are other and missing.
  var goesLeft: [Bool]
  /// Numeric: codes up to this go left.
  var lastLeft: Int
}

/// A grown tree before it is written in a table's terms.
struct GrownTree: Sendable {
  struct Node: Sendable {
    var split: BinnedSplit?
    var left = -1
    var right = -1
    var cover: Int
    /// The mean of the targets, one an output.
    var mean: [Double]
  }
  var nodes: [Node]
  /// The leaf of every row it was grown on.
  var leafOfRow: [Int]

  /// The leaf of any row.
  func leaf(of row: Int32, _ columns: BinnedColumns) -> Int {
    var node = 0
    while let split = nodes[node].split {
      let code = Int(columns.columns[split.column].codes[Int(row)])
      node = split.goesLeft[code] ? nodes[node].left : nodes[node].right
    }
    return node
  }
}

/// Grows regression trees with several outputs on binned columns; squared error summed over outputs decides.
struct TreeGrower {
  let columns: BinnedColumns
  let outputs: Int

  private struct Candidate {
    var node: Int
    var depth: Int
    var rows: [Int32]
    var sums: [Double]
    var gain: Double
    var split: BinnedSplit
  }

  /// Grows a tree on the given rows.
  ///
  /// - Parameters:
  ///   - targets: `[row, output]`, row-major, for all rows of `columns`.
  ///   - asking: the columns that may be asked about; all unless given.
  func grow(targets: [Double], rows: [Int32], limits: TreeLimits, asking chosen: [Int]? = nil) -> GrownTree {
    let chosen = chosen ?? Array(columns.columns.indices)
    let sums = total(targets, rows)
    var tree = GrownTree(
      nodes: [GrownTree.Node(cover: rows.count, mean: mean(sums, rows.count))],
      leafOfRow: [Int](repeating: 0, count: columns.rowCount))
    var open: [Candidate] = []
    func consider(_ node: Int, _ depth: Int, _ rows: [Int32], _ sums: [Double]) {
      guard depth < limits.depth, rows.count >= 2 * limits.rowsPerLeaf,
        let (gain, split) = bestSplit(targets, rows, sums, limits, chosen)
      else { return }
      open.append(Candidate(node: node, depth: depth, rows: rows, sums: sums, gain: gain, split: split))
    }
    consider(0, 0, rows, sums)
    var leaves = 1
    while leaves < limits.leaves, let place = open.indices.max(by: { open[$0].gain < open[$1].gain }) {
      let chosen = open.remove(at: place)
      let codes = columns.columns[chosen.split.column].codes
      var (left, right): ([Int32], [Int32]) = ([], [])
      for row in chosen.rows {
        if chosen.split.goesLeft[Int(codes[Int(row)])] { left.append(row) } else { right.append(row) }
      }
      let leftSums = total(targets, left)
      let rightSums = zip(chosen.sums, leftSums).map { $0 - $1 }
      let (leftNode, rightNode) = (tree.nodes.count, tree.nodes.count + 1)
      tree.nodes[chosen.node].split = chosen.split
      tree.nodes[chosen.node].left = leftNode
      tree.nodes[chosen.node].right = rightNode
      tree.nodes.append(GrownTree.Node(cover: left.count, mean: mean(leftSums, left.count)))
      tree.nodes.append(GrownTree.Node(cover: right.count, mean: mean(rightSums, right.count)))
      for row in left { tree.leafOfRow[Int(row)] = leftNode }
      for row in right { tree.leafOfRow[Int(row)] = rightNode }
      leaves += 1
      consider(leftNode, chosen.depth + 1, left, leftSums)
      consider(rightNode, chosen.depth + 1, right, rightSums)
    }
    return tree
  }

  private func total(_ targets: [Double], _ rows: [Int32]) -> [Double] {
    var sums = [Double](repeating: 0, count: outputs)
    for row in rows {
      for output in 0..<outputs { sums[output] += targets[Int(row) * outputs + output] }
    }
    return sums
  }

  private func mean(_ sums: [Double], _ count: Int) -> [Double] { sums.map { $0 / Double(max(count, 1)) } }

  private func bestSplit(
    _ targets: [Double], _ rows: [Int32], _ sums: [Double], _ limits: TreeLimits, _ chosen: [Int]
  ) -> (Double, BinnedSplit)? {
    var best: (gain: Double, split: BinnedSplit)?
    let base = squares(sums) / Double(rows.count)
    let search = SplitSearch(
      outputs: outputs, total: sums, count: rows.count, rowsPerLeaf: limits.rowsPerLeaf)
    for index in chosen {
      let column = columns.columns[index]
      let histogram = Histogram(column.codes, targets: targets, rows: rows, outputs: outputs)
      guard let found = search.best(of: column, histogram) else { continue }
      let gain = found.score - base
      if gain > 1e-9 * max(1, base), gain > (best?.gain ?? 0) * (1 + 1e-9) {
        best = (
          gain, BinnedSplit(column: index, goesLeft: found.goesLeft, lastLeft: found.lastLeft)
        )
      }
    }
    return best
  }
}

func squares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }

/// Counts and target sums per code.
struct Histogram {
  var counts: [Int]
  /// `[code, output]`.
  var sums: [Double]

  init(_ codes: [UInt8], targets: [Double], rows: [Int32], outputs: Int) {
    var counts = [Int](repeating: 0, count: 256)
    var sums = [Double](repeating: 0, count: 256 * outputs)
    let (codes, targets) = (codes.span, targets.span)
    if outputs == 1 {
      for row in rows {
        let code = Int(codes[Int(row)])
        counts[code] += 1
        sums[code] += targets[Int(row)]
      }
    } else {
      for row in rows {
        let code = Int(codes[Int(row)])
        counts[code] += 1
        for output in 0..<outputs { sums[code * outputs + output] += targets[Int(row) * outputs + output] }
      }
    }
    (self.counts, self.sums) = (counts, sums)
  }
}
