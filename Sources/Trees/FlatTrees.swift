// The trees of an ensemble one after the other in memory, in the order in which ways through them go on.

import Tables
import Tensors

/// Trees laid out for walking down: a node's left child stands behind it, so that half of all steps stay close.
struct FlatTrees: Sendable {
  /// A node: 12 bytes.
  struct Step: Sendable {
    /// The feature asked about; −1 in a leaf. Flags stand in high bits.
    fileprivate(set) var question: Int32
    /// The largest value that goes left.
    fileprivate(set) var threshold: Float
    /// The place of the right child; in a leaf, that of its first number.
    fileprivate(set) var right: Int32

    static let missingGoesLeft: Int32 = 1 << 30
    /// The question is one of categories, or 0 is missing too.
    static let isUnusual: Int32 = 1 << 29

    @inline(__always)
    var isLeaf: Bool { question < 0 }
    @inline(__always)
    var feature: Int { Int(question & (Self.isUnusual - 1)) }
  }

  /// The trees as they were.
  let trees: [Tree]
  private var steps: [Step] = []
  /// By step, the tree's own number of the node.
  private var nodes: [Int32] = []
  private var roots: [Int32] = []
  private var leafValues: [Double] = []
  /// By tree, the score that its leaves' single numbers are added to; −1 where leaves have one for each.
  let outputs: [Int]

  init(_ trees: [Tree]) {
    self.trees = trees
    outputs = trees.map { $0.output ?? -1 }
    steps.reserveCapacity(trees.reduce(0) { $0 + $1.nodes.count })
    nodes.reserveCapacity(steps.capacity)
    for tree in trees {
      roots.append(Int32(steps.count))
      let values = Int32(leafValues.count)
      leafValues += tree.leafValues
      // Right children wait, each with the step whose right child it is.
      var pending: [(node: Int32, of: Int)] = [(0, -1)]
      while let (first, parent) = pending.popLast() {
        if parent >= 0 { steps[parent].right = Int32(steps.count) }
        var number = first
        while true {
          let node = tree.nodes[Int(number)]
          nodes.append(number)
          guard !node.isLeaf else {
            steps.append(Step(question: -1, threshold: 0, right: values + node.left))
            break
          }
          var question = node.feature
          if node.missingGoesLeft { question |= Step.missingGoesLeft }
          if node.isCategorical || node.zeroIsMissing { question |= Step.isUnusual }
          pending.append((node.right, steps.count))
          steps.append(Step(question: question, threshold: node.threshold, right: -1))
          number = node.left
        }
      }
    }
  }

  /// Sends every row down every tree, on all threads.
  ///
  /// - Parameters:
  ///   - table: rows whose columns are the trees' features in their order.
  ///   - body: gets the row, the tree, the place of the first number of the leaf that the row reaches, and the features asked
  ///     about on the way, feature `f` as bit `f mod 64`.
  func route(
    _ table: Features, _ body: @Sendable (_ row: Int, _ tree: Int, _ leaf: Int32, _ asked: UInt64) -> Void
  ) {
    table.withCells { cells in
      parallelRanges(table.rowCount, minimum: 64) { range in
        withWays { ways in
          for (tree, root) in ways.roots.enumerated() {
            for row in range {
              let own = cells.base + cells.place(of: row)
              var asked: UInt64 = 0
              let leaf = ways.leaf(from: Int(root), of: tree) { feature in
                asked |= Self.bit(feature)
                return own[feature * cells.storedRowCount]
              }
              body(row, tree, leaf, asked)
            }
          }
        }
      }
    }
  }

  /// A feature among the bits of those asked about.
  @inline(__always)
  static func bit(_ feature: Int) -> UInt64 { 1 << UInt64(feature & 63) }

  /// Runs a closure on the trees in memory.
  @inline(__always)
  func withWays<Result>(_ body: (Ways) throws -> Result) rethrows -> Result {
    try steps.withUnsafeBufferPointer { steps in
      try nodes.withUnsafeBufferPointer { nodes in
        try roots.withUnsafeBufferPointer { roots in
          try leafValues.withUnsafeBufferPointer { leafValues in
            try body(Ways(steps: steps, nodes: nodes, roots: roots, leafValues: leafValues, trees: trees))
          }
        }
      }
    }
  }

  /// The ways down the trees.
  struct Ways {
    let steps: UnsafeBufferPointer<Step>
    fileprivate let nodes: UnsafeBufferPointer<Int32>
    /// By tree, its first step.
    let roots: UnsafeBufferPointer<Int32>
    /// The numbers of all leaves.
    let leafValues: UnsafeBufferPointer<Double>
    fileprivate let trees: [Tree]

    /// Whether a cell goes left at a step of a tree.
    @inline(__always)
    func goesLeft(_ value: Float, at place: Int, of tree: Int) -> Bool {
      let step = steps[place]
      if step.question & Step.isUnusual != 0 {
        return trees[tree].goesLeft(value, at: trees[tree].nodes[Int(nodes[place])])
      }
      return value <= step.threshold || (value.isNaN && step.question & Step.missingGoesLeft != 0)
    }

    /// The place of the first number of the leaf that a row reaches from a step on.
    @inline(__always)
    func leaf(from start: Int, of tree: Int, _ value: (Int) -> Float) -> Int32 {
      var place = start
      while !steps[place].isLeaf {
        place =
          goesLeft(value(steps[place].feature), at: place, of: tree) ? place + 1 : Int(steps[place].right)
      }
      return steps[place].right
    }
  }
}
