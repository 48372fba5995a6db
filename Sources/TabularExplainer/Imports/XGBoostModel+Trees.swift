// XGBoost's boosters: from its parallel lists to trees.

import Files
import Tables
import Trees

extension XGBoostModel {
  /// The trees of a gbtree or dart booster.
  struct Booster {
    let trees: [Tree]
    /// The features that some split treats as categorical.
    private let categorical: Set<Int>
    /// The categories' names by feature, where the file has them.
    private let categoryNames: [Int: [String]]

    init(_ booster: JSONValue, scoreCount: Int) throws(ModelProblem) {
      let model: JSONValue
      var dropped: [Double]?
      switch try booster.text("name") {
      case "gbtree": model = try booster.member("model")
      case "dart":
        model = try booster.member("gbtree").member("model")
        dropped = try booster.numbers("weight_drop")
      case let other: throw .unsupported("the booster \(other); only trees (gbtree, dart) can be read")
      }
      let documents = try model.list("trees")
      let targets = try model.integers("tree_info")
      guard targets.count == documents.count, dropped.map({ $0.count == documents.count }) ?? true else {
        throw .malformed("\(documents.count) trees, \(targets.count) entries in \"tree_info\"")
      }
      var trees: [Tree] = []
      var categorical: Set<Int> = []
      for (index, document) in documents.enumerated() {
        guard targets[index] >= 0, targets[index] < scoreCount else {
          throw .malformed("tree \(index) is for class \(targets[index]) of \(scoreCount)")
        }
        let reader = try TreeReader(document, weight: dropped?[index] ?? 1, index: index)
        trees.append(try reader.tree(output: targets[index]))
        categorical.formUnion(reader.categoricalFeatures)
      }
      self.trees = trees
      self.categorical = categorical
      categoryNames = try Self.categoryNames(model)
    }

    /// How the features' values are to be read. Where the file has no names for a feature's categories, its cells are
    /// the numbers that XGBoost was given.
    func kinds(count: Int) -> [FeatureKind] {
      (0..<count).map { feature in
        if categorical.contains(feature), let names = categoryNames[feature] { return .categorical(names) }
        return .numeric
      }
    }

    /// Names of categories, stored since version 3.1 as bytes and offsets.
    private static func categoryNames(_ model: JSONValue) throws(ModelProblem) -> [Int: [String]] {
      guard let cats = model["cats"], case .array(let encodings)? = cats["enc"] else { return [:] }
      var names: [Int: [String]] = [:]
      for (feature, encoding) in encodings.enumerated() {
        guard encoding["offsets"] != nil else { continue }  // Categories that are numbers keep them as codes.
        let (offsets, bytes) = (try encoding.integers("offsets"), try encoding.integers("values"))
        guard offsets.count > 1 else { continue }
        var texts: [String] = []
        for (start, end) in zip(offsets, offsets.dropFirst()) {
          guard start >= 0, start <= end, end <= bytes.count else {
            throw .malformed("a category's name of feature \(feature) reaches past its bytes")
          }
          texts.append(
            String(decoding: bytes[start..<end].map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self))
        }
        names[feature] = texts
      }
      return names
    }
  }

  /// One tree's lists.
  private struct TreeReader {
    private let left: [Int]
    private let right: [Int]
    private let features: [Int]
    private let conditions: [Double]
    private let defaultLeft: [Double]
    private let hessians: [Double]
    private let categories: [Int: Range<Int>]
    private let categoryList: [Int]
    private let weight: Double
    private let index: Int

    init(_ document: JSONValue, weight: Double, index: Int) throws(ModelProblem) {
      if let width = document["tree_param"]?["size_leaf_vector"],
        ![.string("0"), .string("1")].contains(width)
      {
        throw .unsupported("leaves that hold a number for every class (multi_output_tree)")
      }
      left = try document.integers("left_children")
      right = try document.integers("right_children")
      features = try document.integers("split_indices")
      conditions = try document.numbers("split_conditions")
      defaultLeft = try document.numbers("default_left")
      let nodes = left.count
      hessians =
        document["sum_hessian"] == nil
        ? [Double](repeating: 0, count: nodes) : try document.numbers("sum_hessian")
      guard nodes > 0,
        [right.count, features.count, conditions.count, defaultLeft.count, hessians.count]
          .allSatisfy({ $0 == nodes })
      else { throw .malformed("tree \(index) has lists of different lengths") }
      self.weight = weight
      self.index = index
      var categories: [Int: Range<Int>] = [:]
      if document["categories_nodes"] != nil {
        categoryList = try document.integers("categories")
        let (starts, sizes) = (
          try document.integers("categories_segments"), try document.integers("categories_sizes")
        )
        let split = try document.integers("categories_nodes")
        guard starts.count == split.count, sizes.count == split.count else {
          throw .malformed("tree \(index) has category lists of different lengths")
        }
        for (place, node) in split.enumerated() {
          guard starts[place] >= 0, sizes[place] >= 0, starts[place] + sizes[place] <= categoryList.count
          else {
            throw .malformed("tree \(index), node \(node): its categories reach past their list")
          }
          categories[node] = starts[place]..<starts[place] + sizes[place]
        }
      } else {
        categoryList = []
      }
      self.categories = categories
    }

    var categoricalFeatures: [Int] {
      categories.keys.filter { features.indices.contains($0) }.map { features[$0] }
    }

    func tree(output: Int) throws(ModelProblem) -> Tree {
      var nodes: [Tree.Node] = []
      var leafValues: [Double] = []
      var words: [UInt64] = []
      for node in left.indices {
        let condition = conditions[node]
        let isCategorical = left[node] >= 0 && categories[node] != nil
        guard condition.isFinite || isCategorical || (left[node] >= 0 && !condition.isNaN) else {
          throw .malformed("tree \(index), node \(node): the number \(condition)")
        }
        if left[node] < 0 {
          nodes.append(.leaf(valueIndex: leafValues.count))
          leafValues.append(condition * weight)
        } else if let range = categories[node] {
          let start = words.count
          try appendBits(categoryList[range], to: &words)
          // Listed categories go right in XGBoost, left here: the children change sides.
          nodes.append(
            .split(
              feature: features[node], inCategoriesAt: start, wordCount: words.count - start,
              left: right[node], right: left[node], missingGoesLeft: defaultLeft[node] == 0))
        } else {
          nodes.append(
            .split(
              feature: features[node], atMost: Tree.Node.threshold(below: Float(condition)), left: left[node],
              right: right[node], missingGoesLeft: defaultLeft[node] != 0))
        }
      }
      do throws(TreeError) {
        return try Tree(
          nodes: nodes, covers: hessians, leafValues: leafValues, categoryWords: words, output: output,
          valuesPerLeaf: 1, index: index)
      } catch {
        throw error.modelProblem
      }
    }

    private func appendBits(_ categories: ArraySlice<Int>, to words: inout [UInt64]) throws(ModelProblem) {
      let largest = categories.max() ?? 0
      guard largest < Limit.categories.value, categories.allSatisfy({ $0 >= 0 }) else {
        throw .malformed("tree \(index): category \(largest)")
      }
      var bits = [UInt64](repeating: 0, count: largest / 64 + 1)
      for category in categories { bits[category / 64] |= 1 << UInt64(category % 64) }
      words += bits
    }
  }
}
