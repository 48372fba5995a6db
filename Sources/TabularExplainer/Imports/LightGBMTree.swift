// One tree block of a LightGBM text model.

import Files
import Trees

/// A tree's `key=value` lines.
struct LightGBMTree {
  private let lines: [String: Substring]
  private let index: Int
  private let cells: CellScales

  init(_ lines: [String: Substring], index: Int, _ cells: CellScales) {
    self.lines = lines
    self.index = index
    self.cells = cells
  }

  private func list<Value>(
    _ key: String, count: Int, _ convert: (Substring) -> Value?
  ) throws(ModelProblem) -> [Value] {
    guard let text = lines[key] else { throw .malformed("tree \(index) has no \"\(key)\"") }
    var values: [Value] = []
    for word in text.split(separator: " ") {
      guard let value = convert(word) else { throw .malformed("tree \(index): \"\(key)\" holds \"\(word)\"") }
      values.append(value)
    }
    guard values.count == count else {
      throw .malformed("tree \(index): \"\(key)\" holds \(values.count) numbers where \(count) are needed")
    }
    return values
  }

  private func integer(_ text: Substring) -> Int? { Int32(text).map(Int.init) }

  private func finite(_ text: Substring) -> Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// Splits are nodes 0 …, leaf i is node `splits + i`.
  func tree(output: Int) throws(ModelProblem) -> Tree {
    guard let leafText = lines["num_leaves"], let leaves = Int(leafText), leaves >= 1,
      leaves < Limit.leaves.value
    else {
      throw .malformed("tree \(index): its number of leaves")
    }
    let splits = leaves - 1
    let leafValues = try list("leaf_value", count: leaves, finite)
    let leafCounts =
      lines["leaf_count"].map { !$0.isEmpty } ?? false
      ? try list("leaf_count", count: leaves, finite) : [Double](repeating: 0, count: leaves)
    var nodes: [Tree.Node] = []
    var covers: [Double] = []
    var words: [UInt64] = []
    if splits > 0 {
      let features = try list("split_feature", count: splits, integer)
      let thresholds = try list("threshold", count: splits) { word in
        Double(word).flatMap { $0.isNaN ? nil : $0 }
      }
      let decisions = try list("decision_type", count: splits, integer)
      let left = try list("left_child", count: splits, integer)
      let right = try list("right_child", count: splits, integer)
      // Versions before 2.2 leave the counts out.
      covers =
        lines["internal_count"].map { !$0.isEmpty } ?? false
        ? try list("internal_count", count: splits, finite) : [Double](repeating: 0, count: splits)
      let sets = try categorySets()
      func node(_ child: Int) -> Int { child < 0 ? splits + (-child - 1) : child }
      for split in 0..<splits {
        guard features[split] >= 0 else { throw .malformed("tree \(index): feature \(features[split])") }
        if decisions[split] & 1 == 1 {
          guard let set = Int(exactly: thresholds[split]), sets.indices.contains(set) else {
            throw .malformed("tree \(index): category set \(thresholds[split]) of \(sets.count)")
          }
          // A missing or unknown category goes right.
          nodes.append(
            .split(
              feature: features[split], inCategoriesAt: words.count, wordCount: sets[set].count,
              left: node(left[split]), right: node(right[split]), missingGoesLeft: false))
          words += sets[set]
        } else {
          nodes.append(
            try numeric(
              features[split], thresholds[split], decisions[split], left: node(left[split]),
              right: node(right[split])))
        }
      }
    }
    for leaf in 0..<leaves { nodes.append(.leaf(valueIndex: leaf)) }
    do throws(TreeError) {
      return try Tree(
        nodes: nodes, covers: covers + leafCounts, leafValues: leafValues, categoryWords: words,
        output: output,
        valuesPerLeaf: 1, index: index)
    } catch {
      throw error.modelProblem
    }
  }

  /// The models of the leaves of a linear tree; without terms where the leaves are constants.
  func linearLeaves(features: Int) throws(ModelProblem) -> [LinearLeafBlackBox.Leaf] {
    guard let leafText = lines["num_leaves"], let count = Int(leafText), count >= 1 else { return [] }
    let values = try list("leaf_value", count: count, finite)
    guard let linear = lines["is_linear"], linear != "0" else {
      return values.map { LinearLeafBlackBox.Leaf(constant: $0, terms: [], otherwise: $0) }
    }
    let constants = try list("leaf_const", count: count, finite)
    let sizes = try list("num_features", count: count, integer)
    let total = sizes.reduce(0, +)
    guard sizes.allSatisfy({ $0 >= 0 }) else { throw .malformed("tree \(index): \"num_features\"") }
    let used = try list("leaf_features", count: total, integer)
    let coefficients = try list("leaf_coeff", count: total, finite)
    guard used.allSatisfy({ $0 >= 0 && $0 < features }) else {
      throw .malformed("tree \(index): \"leaf_features\"")
    }
    var start = 0
    return (0..<count).map { leaf in
      defer { start += sizes[leaf] }
      let terms = (start..<start + sizes[leaf]).map { (feature: used[$0], coefficient: coefficients[$0]) }
      return LinearLeafBlackBox.Leaf(constant: constants[leaf], terms: terms, otherwise: values[leaf])
    }
  }

  /// Bits 2 and 3 of the decision say what is missing (nothing, 0, NaN), bit 1 where it goes.
  private func numeric(
    _ feature: Int, _ threshold: Double, _ decision: Int, left: Int, right: Int
  ) throws(ModelProblem) -> Tree.Node {
    let defaultLeft = decision & 2 != 0
    let limit = cells.threshold(feature, atMost: threshold)
    switch decision >> 2 & 3 {
    case 0:
      // Nothing is missing: NaN is read as 0.
      return .split(
        feature: feature, atMost: limit, left: left, right: right, missingGoesLeft: 0 <= threshold)
    case 1:
      return .split(
        feature: feature, atMost: limit, left: left, right: right, missingGoesLeft: defaultLeft,
        zeroIsMissing: cells.zeroIsZero(feature))
    case 2:
      return .split(feature: feature, atMost: limit, left: left, right: right, missingGoesLeft: defaultLeft)
    default: throw .malformed("tree \(index): decision type \(decision)")
    }
  }

  /// The bit sets of the categorical splits, as 64-bit words.
  private func categorySets() throws(ModelProblem) -> [[UInt64]] {
    guard let text = lines["num_cat"], let count = Int(text), count > 0 else { return [] }
    guard count < Limit.categories.value else { throw .malformed("tree \(index): \(count) category sets") }
    let bounds = try list("cat_boundaries", count: count + 1, integer)
    let halves = try list("cat_threshold", count: bounds.last ?? 0) { UInt32($0) }
    var sets: [[UInt64]] = []
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      guard start >= 0, start <= end, end <= halves.count else {
        throw .malformed("tree \(index): category set \(start) to \(end) of \(halves.count) words")
      }
      var words = [UInt64](repeating: 0, count: (end - start + 1) / 2)
      for (place, half) in halves[start..<end].enumerated() {
        words[place / 2] |= UInt64(half) << UInt64(place % 2 * 32)
      }
      sets.append(words)
    }
    return sets
  }
}
