// XGBoost's boosters: from its parallel lists to trees.

import Files
import Tables
import Trees

extension XGBoostModel {
  /// The trees of a gbtree or dart booster.
  struct Booster {
    let trees: [Tree]
    /// The categories' names by feature, where the file has them.
    private let categoryNames: [Int: [String]]

    init(
      _ booster: JSONValue, scoreCount: Int, rounds: Int, _ cells: CellScales
    ) throws(ModelProblem) {
      switch try booster.text("name") {
      case "gbtree", "dart": break
      case let other: throw .unsupported("the booster \(other)")
      }
      guard let model = Self.trees(booster) else { throw .malformed("there are no trees") }
      let dropped = try Self.droppedWeights(booster, model)
      let documents = try model.list("trees")
      let targets = try model.integers("tree_info")
      guard targets.count == documents.count, dropped.map({ $0.count == documents.count }) ?? true else {
        throw .malformed("\(documents.count) trees, \(targets.count) entries in \"tree_info\"")
      }
      let starts = try Self.roundStarts(model, scoreCount: scoreCount)
      var trees: [Tree] = []
      for (index, document) in documents.enumerated() where index < starts[min(rounds, starts.count - 1)] {
        guard targets[index] >= 0, targets[index] < scoreCount else {
          throw .malformed("tree \(index) is for class \(targets[index]) of \(scoreCount)")
        }
        let reader = try TreeReader(
          document, weight: dropped?[index] ?? 1, index: index, scoreCount: scoreCount)
        trees.append(try reader.tree(output: targets[index], cells))
      }
      self.trees = trees
      categoryNames = try Self.categoryNames(model)
    }

    /// Where the trees stand: one level deeper in boosters of the kind dart before 3.3.
    static func trees(_ booster: JSONValue) -> JSONValue? { booster["model"] ?? booster["gbtree"]?["model"] }

    /// What dart multiplies trees by: beside the trees since 3.3, before that beside their booster.
    private static func droppedWeights(_ booster: JSONValue, _ model: JSONValue) throws(ModelProblem)
      -> [Double]?
    {
      try refuseUnknown(booster, known: ["name", "model", "gbtree", "weight_drop"])
      try refuseUnknown(
        model,
        known: [
          "gbtree_model_param", "trees", "tree_info", "iteration_indptr", "cats", "weight_drop",
        ])
      for place in [model, booster] where place["weight_drop"] != nil {
        let weights = try place.numbers("weight_drop")
        // A model of the kind gbtree has the list too, and leaves it empty.
        if !weights.isEmpty { return weights }
      }
      if try booster.text("name") == "dart", !(try model.list("trees").isEmpty) {
        throw .malformed("a dart booster without \"weight_drop\"")
      }
      return nil
    }

    /// Where each round's trees begin, and where the last one's end.
    static func roundStarts(_ model: JSONValue, scoreCount: Int) throws(ModelProblem) -> [Int] {
      let count = try model.list("trees").count
      if model["iteration_indptr"] != nil {
        let starts = try model.integers("iteration_indptr")
        if starts.first == 0, starts.last == count, zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 }) {
          return starts
        }
      }
      let parallel = model["gbtree_model_param"].flatMap { try? $0.count("num_parallel_tree") } ?? 1
      let width = min(max(1, parallel), Limit.leaves.value) * scoreCount
      return Array(stride(from: 0, to: count, by: width)) + [count]
    }

    /// How the features' values are to be read. Where the file has no names for a feature's categories, its cells are
    /// the numbers that XGBoost was given.
    func kinds(count: Int) -> [FeatureKind] {
      (0..<count).map { feature in categoryNames[feature].map { .categorical($0) } ?? .numeric }
    }

    /// Names of categories, stored since version 3.1: texts as bytes and offsets, numbers as they are.
    private static func categoryNames(_ model: JSONValue) throws(ModelProblem) -> [Int: [String]] {
      guard let cats = model["cats"], case .array(let encodings)? = cats["enc"] else { return [:] }
      var names: [Int: [String]] = [:]
      for (feature, encoding) in encodings.enumerated() {
        guard encoding["offsets"] != nil else {
          // Categories that are numbers: a split's set counts their places, not their values.
          guard encoding["values"] != nil else { continue }
          let values = try encoding.numbers("values")
          if !values.isEmpty { names[feature] = values.map(plainText) }
          continue
        }
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
    /// Where leaves hold a number for every score: these, leaf by leaf, and each leaf's place among them.
    private let vectors: (values: [Double], width: Int)?

    init(_ document: JSONValue, weight: Double, index: Int, scoreCount: Int) throws(ModelProblem) {
      try refuseUnknown(
        document,
        known: [
          "base_weights", "leaf_weights", "categories", "categories_nodes", "categories_segments",
          "categories_sizes",
          "default_left", "id", "left_children", "loss_changes", "parents", "right_children",
          "split_conditions",
          "split_indices", "split_type", "sum_hessian", "tree_param", "leaf_child_counts",
        ])
      if let width = document["tree_param"].flatMap({ try? $0.count("size_leaf_vector") }), width > 1 {
        guard width == scoreCount else {
          throw .unsupported("leaves of \(width) numbers for \(scoreCount) scores")
        }
        let key = document["leaf_weights"] == nil ? "base_weights" : "leaf_weights"
        vectors = (try document.numbers(key), width)
      } else {
        vectors = nil
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

    /// The numbers of a leaf: kept leaf by leaf, the leaf's place in `right_children`, or node by node.
    private func vector(_ node: Int, _ vectors: (values: [Double], width: Int)) throws(ModelProblem)
      -> ArraySlice<Double>
    {
      let isByNode = vectors.values.count == left.count * vectors.width
      let place = isByNode ? node : right[node]
      guard place >= 0, (place + 1) * vectors.width <= vectors.values.count else {
        throw .malformed("tree \(index), node \(node): its leaf's numbers")
      }
      return vectors.values[place * vectors.width..<(place + 1) * vectors.width]
    }

    func tree(output: Int, _ cells: CellScales) throws(ModelProblem) -> Tree {
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
          if let vectors {
            leafValues += try vector(node, vectors).map { $0 * weight }
          } else {
            leafValues.append(condition * weight)
          }
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
              feature: features[node],
              atMost: cells.threshold(features[node], singleBelow: Double(Float(condition))),
              left: left[node], right: right[node], missingGoesLeft: defaultLeft[node] != 0))
        }
      }
      do throws(TreeError) {
        return try Tree(
          nodes: nodes, covers: hessians, leafValues: leafValues, categoryWords: words,
          output: vectors == nil ? output : nil, valuesPerLeaf: vectors?.width ?? 1, index: index)
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
