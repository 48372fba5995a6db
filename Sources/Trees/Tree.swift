// One decision tree as flat arrays: nodes, covers, leaf values, category sets.

/// A binary decision tree over a feature matrix.
///
/// Node 0 is the root. Every split is one of two questions, and "yes" leads left:
/// * numeric: is `x ≤ threshold`? Both sides are float32. Libraries that ask `x < t` or compare in double precision
///   are represented without loss by a moved threshold: see `Tree.Node.threshold(below:)` and `threshold(atMost:)`.
/// * categorical: is the category's index in a set? Categories outside the set, unknown ones too, go right.
///
/// A missing cell (NaN) goes where the node says.
public struct Tree: Sendable, Equatable {
  /// The nodes; children may stand anywhere in the array, node 0 is the root.
  public let nodes: [Node]
  /// How many training rows (or how much training weight) reached each node, in the order of `nodes`.
  public let covers: [Double]
  /// What the leaves predict, `valuesPerLeaf` numbers each.
  public let leafValues: [Double]
  /// Bits of the category sets; a node's set starts at word `categoryStart`. Bit `c & 63` of word `c >> 6`.
  public let categoryWords: [UInt64]
  /// The output that a leaf's single number is added to; nil where leaves hold one number for every output.
  public let output: Int?
  /// The longest path from the root to a leaf, in splits.
  public let depth: Int

  /// One node: a split or a leaf.
  public struct Node: Sendable, Equatable {
    /// The feature asked about, or −1 in a leaf.
    public var feature: Int32
    /// The largest value that goes left, in a numeric split.
    public var threshold: Float
    /// The node for "yes"; in a leaf the index of its first number in `leafValues`.
    public var left: Int32
    /// The node for "no".
    public var right: Int32
    /// The first word of the category set in a categorical split, or −1.
    public var categoryStart: Int32
    /// The number of words of the category set.
    public var categoryWordCount: Int32
    /// Whether a missing cell goes left.
    public var missingGoesLeft: Bool
    /// Whether 0 counts as missing too (an option of LightGBM).
    public var zeroIsMissing: Bool

    /// Whether the node is a leaf.
    public var isLeaf: Bool { feature < 0 }

    /// Whether the split asks for membership in a category set.
    public var isCategorical: Bool { categoryStart >= 0 }

    /// A leaf whose numbers start at `valueIndex` in `leafValues`.
    public static func leaf(valueIndex: Int) -> Node {
      Node(
        feature: -1, threshold: 0, left: Int32(valueIndex), right: -1, categoryStart: -1,
        categoryWordCount: 0, missingGoesLeft: false, zeroIsMissing: false)
    }

    /// A split on `x ≤ threshold`.
    public static func split(
      feature: Int, atMost threshold: Float, left: Int, right: Int, missingGoesLeft: Bool,
      zeroIsMissing: Bool = false
    ) -> Node {
      Node(
        feature: Int32(feature), threshold: threshold, left: Int32(left), right: Int32(right),
        categoryStart: -1, categoryWordCount: 0, missingGoesLeft: missingGoesLeft,
        zeroIsMissing: zeroIsMissing)
    }

    /// A split on membership in the set whose words start at `start` in `categoryWords`.
    public static func split(
      feature: Int, inCategoriesAt start: Int, wordCount: Int, left: Int, right: Int, missingGoesLeft: Bool
    ) -> Node {
      Node(
        feature: Int32(feature), threshold: 0, left: Int32(left), right: Int32(right),
        categoryStart: Int32(start), categoryWordCount: Int32(wordCount), missingGoesLeft: missingGoesLeft,
        zeroIsMissing: false)
    }

    /// The threshold `t'` for which `x ≤ t'` says of every float what `x < t` says (XGBoost's question).
    public static func threshold(below t: Float) -> Float { t.nextDown }

    /// The threshold `t'` for which `x ≤ t'` says of every float what `x ≤ t` says in double precision
    /// (the question of scikit-learn and LightGBM): the largest float not above `t`.
    public static func threshold(atMost t: Double) -> Float {
      let nearest = Float(t)
      return Double(nearest) > t ? nearest.nextDown : nearest
    }
  }

  /// A tree from its arrays, checked: indices in range, every node but the root has one parent, no cycle.
  ///
  /// - Parameters:
  ///   - output: the output a single leaf number is added to, or nil where leaves hold `valuesPerLeaf` numbers.
  ///   - valuesPerLeaf: 1 where `output` is given, else the number of outputs.
  ///   - index: the tree's place in its ensemble, for the error.
  /// - Throws: `TreeError.malformedTree`.
  public init(
    nodes: [Node], covers: [Double], leafValues: [Double], categoryWords: [UInt64] = [], output: Int?,
    valuesPerLeaf: Int, index: Int = 0
  ) throws(TreeError) {
    func malformed(_ node: Int, _ problem: String) -> TreeError {
      .malformedTree(tree: index, node: node, problem: problem)
    }
    guard !nodes.isEmpty else { throw malformed(0, "there is no node") }
    guard covers.count == nodes.count else {
      throw malformed(0, "\(covers.count) covers for \(nodes.count) nodes")
    }
    if let place = leafValues.firstIndex(where: { !$0.isFinite }) {
      throw malformed(0, "leaf value \(place) is \(leafValues[place]), not a finite number")
    }
    var reached = [Bool](repeating: false, count: nodes.count)
    var pending: [(node: Int, depth: Int)] = [(0, 0)]
    var depth = 0
    while let (node, level) = pending.popLast() {
      guard !reached[node] else { throw malformed(node, "two paths lead to it") }
      reached[node] = true
      depth = max(depth, level)
      let content = nodes[node]
      if content.isLeaf {
        let first = Int(content.left)
        guard first >= 0, first + valuesPerLeaf <= leafValues.count else {
          throw malformed(node, "leaf value \(first) of \(leafValues.count)")
        }
        continue
      }
      if content.isCategorical {
        let end = Int(content.categoryStart) + Int(content.categoryWordCount)
        guard content.categoryWordCount >= 0, end <= categoryWords.count else {
          throw malformed(node, "category word \(end) of \(categoryWords.count)")
        }
      }
      for child in [Int(content.right), Int(content.left)] {
        guard nodes.indices.contains(child) else { throw malformed(node, "child \(child) does not exist") }
        pending.append((child, level + 1))
      }
    }
    self.nodes = nodes
    self.covers = covers
    self.leafValues = leafValues
    self.categoryWords = categoryWords
    self.output = output
    self.depth = depth
  }

  /// The categories that go left at a categorical split, in rising order.
  public func categories(at node: Node) -> [Int] {
    guard node.isCategorical else { return [] }
    let start = Int(node.categoryStart)
    return (0..<Int(node.categoryWordCount) * 64).filter { category in
      categoryWords[start + category >> 6] >> UInt64(category & 63) & 1 == 1
    }
  }

  /// Whether a cell goes left at a split.
  @inline(__always)
  public func goesLeft(_ value: Float, at node: Node) -> Bool {
    if value.isNaN || (node.zeroIsMissing && abs(value) <= 1e-35) { return node.missingGoesLeft }
    guard node.isCategorical else { return value <= node.threshold }
    guard value >= 0, value < Float(node.categoryWordCount) * 64 else { return false }
    let category = Int(value)
    return categoryWords[Int(node.categoryStart) + category >> 6] >> UInt64(category & 63) & 1 == 1
  }

  /// The leaf that a row reaches.
  /// - Parameter value: the row's value of a feature.
  /// - Returns: the leaf's index in `nodes`.
  public func leaf(_ value: (Int) -> Float) -> Int {
    var index = 0
    while !nodes[index].isLeaf {
      let node = nodes[index]
      index = Int(goesLeft(value(Int(node.feature)), at: node) ? node.left : node.right)
    }
    return index
  }

  /// The same tree with other thresholds in numeric splits.
  func mappingThresholds(_ move: (Int, Float) -> Float) -> Tree {
    Tree(
      self,
      nodes: nodes.map { node in
        guard !node.isLeaf, !node.isCategorical else { return node }
        var node = node
        node.threshold = move(Int(node.feature), node.threshold)
        return node
      })
  }

  private init(_ other: Tree, nodes: [Node]) {
    self.nodes = nodes
    covers = other.covers
    leafValues = other.leafValues
    categoryWords = other.categoryWords
    output = other.output
    depth = other.depth
  }

  /// The features that some split asks about, in rising order.
  public var usedFeatures: [Int] {
    Set(nodes.lazy.filter { !$0.isLeaf }.map { Int($0.feature) }).sorted()
  }
}
