// A tree while it grows: nodes are appended, children are filled in when they are known.

/// The arrays of a tree in the making.
struct TreeAssembly {
  private(set) var nodes: [Tree.Node] = []
  private(set) var covers: [Double] = []
  private(set) var leafValues: [Double] = []
  private(set) var categoryWords: [UInt64] = []

  /// The question of a split.
  enum Question {
    case atMost(Float)
    case categories([Int])
  }

  /// Adds a node that becomes a leaf or a split later.
  mutating func addNode(cover: Double) -> Int {
    nodes.append(.leaf(valueIndex: 0))
    covers.append(cover)
    return nodes.count - 1
  }

  /// Sets a node's cover once it is known.
  mutating func setCover(_ node: Int, _ cover: Double) { covers[node] = cover }

  /// Makes a node a leaf.
  mutating func makeLeaf(_ node: Int, _ values: some Sequence<Double>) {
    nodes[node] = .leaf(valueIndex: leafValues.count)
    leafValues += values
  }

  /// Makes a node a split.
  mutating func makeSplit(
    _ node: Int, feature: Int, _ question: Question, missingGoesLeft: Bool, left: Int, right: Int
  ) {
    switch question {
    case .atMost(let threshold):
      nodes[node] = .split(
        feature: feature, atMost: threshold, left: left, right: right, missingGoesLeft: missingGoesLeft)
    case .categories(let members):
      let start = categoryWords.count
      let words = (members.max() ?? 0) / 64 + 1
      categoryWords += [UInt64](repeating: 0, count: words)
      for member in members { categoryWords[start + member >> 6] |= 1 << UInt64(member & 63) }
      nodes[node] = .split(
        feature: feature, inCategoriesAt: start, wordCount: words, left: left, right: right,
        missingGoesLeft: missingGoesLeft)
    }
  }

  /// The finished tree.
  func tree(output: Int?) -> Tree {
    Tree(
      grown: nodes, covers: covers, leafValues: leafValues, categoryWords: categoryWords, output: output)
  }
}

extension Tree {
  /// A tree that was grown here, sound by construction: children follow their parents.
  init(
    grown nodes: [Node], covers: [Double], leafValues: [Double], categoryWords: [UInt64], output: Int?
  ) {
    var depths = [Int](repeating: 0, count: nodes.count)
    for (index, node) in nodes.enumerated() where !node.isLeaf {
      depths[Int(node.left)] = depths[index] + 1
      depths[Int(node.right)] = depths[index] + 1
    }
    self.nodes = nodes
    self.covers = covers
    self.leafValues = leafValues
    self.categoryWords = categoryWords
    self.output = output
    depth = depths.max() ?? 0
  }
}
