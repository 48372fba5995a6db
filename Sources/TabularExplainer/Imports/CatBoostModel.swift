// CatBoost's JSON models: oblivious trees, which ask the same question at every node of a level.

import Files
import Tables
import Trees

/// A reader of CatBoost's documents.
struct CatBoostModel {
  private let document: JSONValue

  init(_ document: JSONValue) { self.document = document }

  /// Whether a document looks like CatBoost's.
  static func recognises(_ document: JSONValue) -> Bool {
    document["features_info"] != nil && (document["oblivious_trees"] != nil || document["trees"] != nil)
  }

  /// What the model says of itself.
  func names() throws(ModelProblem) -> ModelNames {
    let features = try document.member("features_info").list("float_features")
    var names: [String] = []
    for feature in features {
      let name = feature["feature_name"] ?? feature["feature_id"]
      if case .string(let text)? = name, !text.isEmpty { names.append(text) }
    }
    let link = try link()
    let classes = document["model_info"]?["class_params"]?["class_names"]?.elements?.map { element in
      switch element {
      case .string(let text): text
      case .integer(let number): String(number)
      case .number(let number): plainText(number)
      case .boolean(let truth): truth ? "True" : "False"
      default: "?"
      }
    }
    let isBinary = link == .logistic(slope: 1)
    return ModelNames(
      features: names.count == features.count ? names : nil, featureCount: features.count,
      classes: classes.flatMap { $0.isEmpty ? nil : $0 }, outputCount: isBinary ? 2 : try scoreCount(),
      classifies: isBinary || link == .softmax)
  }

  private func scoreCount() throws(ModelProblem) -> Int {
    max(1, try bias().count)
  }

  private func bias() throws(ModelProblem) -> [Double] {
    guard let pair = document["scale_and_bias"]?.elements, pair.count == 2 else { return [0] }
    if let list = pair[1].elements { return list.map { $0.anyNumber ?? 0 } }
    return [pair[1].anyNumber ?? 0]
  }

  private func link() throws(ModelProblem) -> TreeEnsemble.Link {
    let loss = document["model_info"]?["params"]?["loss_function"]?["type"]?.text ?? ""
    switch loss {
    case "Logloss", "CrossEntropy": return .logistic(slope: 1)
    case "MultiClass": return .softmax
    case "Poisson", "Tweedie": return .exponential
    case "RMSE", "MAE", "Quantile", "MAPE", "Huber", "LogCosh", "Expectile", "Lq": return .identity
    default: throw .unsupported("the loss function \(loss.isEmpty ? "of no name" : loss)")
    }
  }

  /// The trees with names.
  func ensemble(path: String, _ names: ModelNames.Settled, _ cells: CellScales) throws(ModelProblem)
    -> TreeEnsemble
  {
    let info = try document.member("features_info")
    if let others = info["categorical_features"]?.elements, !others.isEmpty {
      throw .unsupported("categorical features, which CatBoost turns into statistics of its training rows")
    }
    for kind in ["text_features", "embedding_features"] where !(info[kind]?.elements?.isEmpty ?? true) {
      throw .unsupported(kind.split(separator: "_").joined(separator: " "))
    }
    guard document["oblivious_trees"] != nil else { throw .unsupported("trees that are not oblivious") }
    var missingIsAbove: [Bool] = []
    for feature in try info.list("float_features") {
      // Missing cells lie above all borders only where the feature says so.
      missingIsAbove.append(feature["nan_value_treatment"]?.text == "AsTrue")
    }
    let scoreCount = try scoreCount()
    let pair = document["scale_and_bias"]?.elements
    let scale = pair?.first?.anyNumber ?? 1
    var trees: [Tree] = []
    for (index, tree) in try document.list("oblivious_trees").enumerated() {
      trees.append(try Self.tree(tree, index: index, scoreCount: scoreCount, missingIsAbove, cells))
    }
    let (base, link) = (try bias(), try link())
    do throws(TreeError) {
      return try TreeEnsemble(
        featureNames: names.features, featureKinds: missingIsAbove.map { _ in .numeric },
        outputNames: names.outputs,
        trees: trees, baseScores: base, scale: scale, link: link)
    } catch {
      throw error.modelProblem
    }
  }

  /// A complete binary tree: bit `i` of a leaf's number says whether its rows lie above the border of level `i`.
  private static func tree(
    _ document: JSONValue, index: Int, scoreCount: Int, _ missingIsAbove: [Bool], _ cells: CellScales
  ) throws(ModelProblem) -> Tree {
    var splits: [(feature: Int, border: Double)] = []
    for split in document["splits"]?.elements ?? [] {
      guard split["split_type"]?.text ?? "FloatFeature" == "FloatFeature",
        let feature = split["float_feature_index"]?.wholeNumber, let border = split["border"]?.anyNumber
      else { throw .unsupported("splits of the type \(split["split_type"]?.text ?? "?")") }
      guard missingIsAbove.indices.contains(feature) else {
        throw .malformed("tree \(index): feature \(feature)")
      }
      splits.append((feature, border))
    }
    let depth = splits.count
    guard depth <= 16 else { throw .malformed("tree \(index) is \(depth) levels deep") }
    let values = try document.numbers("leaf_values")
    guard values.count == scoreCount << depth else {
      throw .malformed("tree \(index) has \(values.count) leaf values for \(depth) levels")
    }
    let weights = document["leaf_weights"] == nil ? [] : try document.numbers("leaf_weights")
    var nodes: [Tree.Node] = []
    var covers: [Double] = []
    var leafValues: [Double] = []
    // Levels from the last split down to the first: the last one is asked at the root.
    func add(level: Int, leaf: Int) -> Int {
      let place = nodes.count
      guard level >= 0 else {
        nodes.append(.leaf(valueIndex: leafValues.count))
        covers.append(weights.indices.contains(leaf) ? weights[leaf] : 0)
        leafValues += values[leaf * scoreCount..<(leaf + 1) * scoreCount]
        return place
      }
      nodes.append(.leaf(valueIndex: 0))
      covers.append(0)
      let low = add(level: level - 1, leaf: leaf)
      let high = add(level: level - 1, leaf: leaf | 1 << level)
      let split = splits[level]
      nodes[place] = .split(
        feature: split.feature,
        atMost: cells.threshold(split.feature, singleAtMost: Double(Float(split.border))), left: low,
        right: high, missingGoesLeft: !missingIsAbove[split.feature])
      covers[place] = covers[low] + covers[high]
      return place
    }
    _ = add(level: depth - 1, leaf: 0)
    do throws(TreeError) {
      return try Tree(
        nodes: nodes, covers: covers, leafValues: leafValues, output: scoreCount == 1 ? 0 : nil,
        valuesPerLeaf: scoreCount, index: index)
    } catch {
      throw error.modelProblem
    }
  }
}
