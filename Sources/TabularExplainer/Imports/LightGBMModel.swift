// LightGBM's text models (versions 2 to 4) as tree ensembles.
//
// A file is `key=value` lines: a header, one block a tree, and parameters. Leaves are numbered apart from splits: a
// child below zero, −(i+1), is leaf i. A row goes left where x ≤ t in double precision.

import Files
import Tables
import Trees

/// A reader of LightGBM's text.
struct LightGBMModel: Sendable {
  private let header: [String: Substring]
  private let blocks: [[String: Substring]]
  private let averages: Bool
  private let pandasCategories: [[String]]

  /// Whether a file's beginning looks like LightGBM's.
  static func recognises(_ beginning: String) -> Bool {
    beginning.hasPrefix("tree\n") || beginning.hasPrefix("tree\r\n")
  }

  init(_ text: String) throws(ModelProblem) {
    var header: [String: Substring] = [:]
    var blocks: [[String: Substring]] = []
    var (averages, ended) = (false, false)
    var categories: [[String]] = []
    for line in text.split(whereSeparator: \.isNewline) {
      if line == "end of trees" { ended = true }
      if line == "average_output" { averages = true }
      if ended {
        if let list = line.wholeTail(after: "pandas_categorical:") { categories = try Self.categories(list) }
        continue
      }
      guard let equals = line.firstIndex(of: "=") else { continue }
      let (key, value) = (String(line[..<equals]), line[line.index(after: equals)...])
      if key == "Tree" {
        blocks.append([:])
      } else if blocks.isEmpty {
        header[key] = value
      } else {
        blocks[blocks.count - 1][key] = value
      }
    }
    guard ended else { throw .malformed("the file ends before its \"end of trees\"") }
    self.header = header
    self.blocks = blocks
    self.averages = averages
    pandasCategories = categories
  }

  /// The categories' names of every categorical column, as pandas had them.
  private static func categories(_ text: Substring) throws(ModelProblem) -> [[String]] {
    guard text != "null", let value = try? JSONValue(parsing: String(text)), case .array(let columns) = value
    else { return [] }
    return columns.map { column in
      guard case .array(let names) = column else { return [] }
      return names.map { name in
        switch name {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): plainText(number)
        case .boolean(let truth): truth ? "True" : "False"
        default: ""
        }
      }
    }
  }

  private func required(_ key: String) throws(ModelProblem) -> Substring {
    guard let value = header[key] else { throw .malformed("there is no \"\(key)\"") }
    return value
  }

  private func count(_ key: String, atLeast least: Int) throws(ModelProblem) -> Int {
    let text = try required(key)
    guard let value = Int(text), value >= least, value < Limit.columns.value else {
      throw .malformed("\"\(key)\" is \"\(text)\"")
    }
    return value
  }

  /// What the model says of itself.
  func names() throws(ModelProblem) -> ModelNames {
    let scoreCount = try scoreCount()
    let objective = try Objective(header["objective"] ?? "custom")
    let featureCount = try count("max_feature_idx", atLeast: 0) + 1
    let featureNames = try required("feature_names").split(separator: " ").map(String.init)
    guard featureNames.count == featureCount else {
      throw .malformed("\(featureNames.count) feature names for \(featureCount) features")
    }
    // Columns are called Column_0, Column_1, … where LightGBM was given none.
    let isNumbered = featureNames.enumerated().allSatisfy { $1 == "Column_\($0)" }
    return ModelNames(
      features: isNumbered ? nil : featureNames, featureCount: featureCount, classes: nil,
      outputCount: objective.link.isOneLogistic ? 2 : scoreCount, classifies: objective.classifies)
  }

  /// Scores a round adds to; files of versions before 2.1 call them classes only.
  private func scoreCount() throws(ModelProblem) -> Int {
    let count = try count(
      header["num_tree_per_iteration"] == nil ? "num_class" : "num_tree_per_iteration", atLeast: 1)
    guard count <= max(1, blocks.count) else {
      throw .malformed("\(count) trees an iteration, \(blocks.count) trees in all")
    }
    return count
  }

  /// The model for a table's cells.
  func imported(_ names: ModelNames.Settled, _ cells: CellScales) throws -> ImportedModel {
    let scoreCount = try scoreCount()
    let objective = try Objective(header["objective"] ?? "custom")
    var trees: [Tree] = []
    var leaves: [[LinearLeafBlackBox.Leaf]] = []
    for (index, block) in blocks.enumerated() {
      let reader = LightGBMTree(block, index: index, cells)
      trees.append(try reader.tree(output: index % scoreCount))
      leaves.append(try reader.linearLeaves(features: names.features.count))
    }
    let iterations = max(1, trees.count / scoreCount)
    let ensemble = try TreeEnsemble(
      featureNames: names.features, featureKinds: kinds(count: names.features.count),
      outputNames: names.outputs, trees: trees, baseScores: [Double](repeating: 0, count: scoreCount),
      scale: averages ? 1 / Double(iterations) : 1, link: objective.link)
    guard leaves.joined().contains(where: { !$0.terms.isEmpty }) else {
      return ImportedModel(format: .lightGBM, ensemble, names.remarks)
    }
    let box = LinearLeafBlackBox(ensemble: ensemble, leaves: leaves)
    return ImportedModel(
      format: .lightGBM, featureNames: names.features, blackBox: box, trees: nil, remarks: names.remarks)
  }

  /// Categorical columns, in order, are those whose `feature_infos` list numbers with colons and no brackets; pandas'
  /// names belong to them in that order. Without names, cells are the numbers that LightGBM was given.
  private func kinds(count: Int) -> [FeatureKind] {
    let infos = (header["feature_infos"] ?? "").split(separator: " ")
    var kinds = [FeatureKind](repeating: .numeric, count: count)
    let columns = infos.indices.filter { $0 < count && infos[$0] != "none" && !infos[$0].hasPrefix("[") }
    guard columns.count == pandasCategories.count else { return kinds }
    for (column, names) in zip(columns, pandasCategories) { kinds[column] = .categorical(names) }
    return kinds
  }

  private struct Objective {
    let link: TreeEnsemble.Link
    let classifies: Bool

    init(_ text: Substring) throws(ModelProblem) {
      let words = text.split(separator: " ")
      var slope = 1.0
      for word in words {
        if let number = word.wholeTail(after: "sigmoid:") {
          guard let value = Double(number), value.isFinite, value > 0 else { throw .malformed("\"\(word)\"") }
          slope = value
        }
      }
      switch words.first ?? "" {
      case "binary": (link, classifies) = (.logistic(slope: slope), true)
      case "cross_entropy": (link, classifies) = (.logistic(slope: 1), true)
      case "multiclass": (link, classifies) = (.softmax, true)
      case "multiclassova": (link, classifies) = (.logisticEach(slope: slope), true)
      case "poisson", "gamma", "tweedie": (link, classifies) = (.exponential, false)
      case "regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg",
        "custom":
        // With reg_sqrt the trees know the target's square root, its sign kept.
        (link, classifies) = (words.contains("sqrt") ? .signedSquare : .identity, false)
      case let other: throw .unsupported("the objective \(other)")
      }
    }
  }
}

extension TreeEnsemble.Link {
  var isOneLogistic: Bool {
    if case .logistic = self { true } else { false }
  }
}

extension Substring {
  /// What stands after `prefix`, or nil where the text does not start with it.
  func wholeTail(after prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}
