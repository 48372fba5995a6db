// XGBoost's own models, JSON and UBJ, versions 1 to 3, as tree ensembles.
//
// What versions write differently: base_score is a number in a text ("5E-1") before 3.1 and a list in a text
// ("[5E-1]", one number a class) since; 3.1 adds the categories' names ("cats"). What all do: a row goes left where
// x < t in float32, a leaf's value stands among the thresholds, and categories that are listed go right.

import Files
import Tables
import Trees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A reader of XGBoost's documents.
struct XGBoostModel: Sendable {
  private let learner: JSONValue

  /// Looks for the learner in a parsed document, and refuses what later versions may have added to it.
  init(_ document: JSONValue) throws(ModelProblem) {
    learner = try document.member("learner")
    try Self.refuseUnknown(
      learner,
      known: [
        "attributes", "feature_names", "feature_types", "gradient_booster", "learner_model_param",
        "objective",
        "learner_train_param",
      ])
    try Self.refuseUnknown(
      try learner.member("learner_model_param"),
      known: [
        "base_score", "boost_from_average", "num_class", "num_feature", "num_target", "num_trees",
      ])
  }

  /// A field that is not known may change what the model predicts.
  static func refuseUnknown(_ object: JSONValue, known: Set<String>) throws(ModelProblem) {
    for member in object.members ?? [] where !known.contains(member.key) {
      throw .unsupported("the field \"\(member.key)\", which is not known")
    }
  }

  /// What the model says of itself.
  func names() throws(ModelProblem) -> ModelNames {
    let parameters = try learner.member("learner_model_param")
    let objective = try Objective(name: try learner.member("objective").text("name"))
    if let targets = parameters["num_target"], targets != .string("1"), targets != .integer(1) {
      throw .unsupported("more than one target")
    }
    return ModelNames(
      features: try nonEmptyTexts("feature_names"), featureCount: try parameters.count("num_feature"),
      classes: nil,
      outputCount: objective.link.outputCount(scores: try scoreCount()), classifies: objective.classifies)
  }

  /// How many rounds the file holds, how many early stopping found best, and how many are used.
  ///
  /// scikit-learn's interface predicts with the rounds up to the best one, XGBoost's own with all.
  func rounds(_ choice: ModelContext.Rounds) throws -> (used: Int, total: Int, best: Int?) {
    let booster = try learner.member("gradient_booster")
    guard try booster.text("name") != "gblinear", let trees = Booster.trees(booster) else {
      return (0, 0, nil)
    }
    let total = try Booster.roundStarts(trees, scoreCount: scoreCount()).count - 1
    var best: Int?
    let attributes = learner["attributes"]
    if let text = attributes?["best_iteration"]?.text, let number = Int(text), number >= 0, number < total {
      best = number + 1
    }
    switch choice {
    case .asTheLibrary: return (attributes?["scikit_learn"] == nil ? total : best ?? total, total, best)
    case .all: return (total, total, best)
    case .best:
      guard let best else {
        throw ModelFileError.rounds(path: "the model", problem: "has no best round noted by early stopping")
      }
      return (best, total, best)
    case .first(let count):
      guard count >= 1, count <= total else {
        throw ModelFileError.rounds(path: "the model", problem: "holds \(total) rounds, not \(count)")
      }
      return (count, total, best)
    }
  }

  private func scoreCount() throws(ModelProblem) -> Int {
    let count = try learner.member("learner_model_param").count("num_class")
    guard count < Limit.columns.value else { throw .malformed("\(count) classes") }
    return max(1, count)
  }

  /// The booster, and how its scores become predictions.
  func imported(
    _ format: ModelFileFormat, _ names: ModelNames.Settled, _ cells: CellScales, rounds: Int
  ) throws -> ImportedModel {
    let parameters = try learner.member("learner_model_param")
    let objective = try Objective(name: try learner.member("objective").text("name"))
    let scoreCount = try scoreCount()
    let base = try objective.margins(baseScores(parameters, count: scoreCount))
    let document = try learner.member("gradient_booster")
    if try document.text("name") == "gblinear" {
      let weights = try document.member("model").numbers("weights")
      let count = names.features.count
      guard weights.count == (count + 1) * scoreCount else {
        throw ModelProblem.malformed(
          "\(weights.count) weights for \(count) features and \(scoreCount) scores")
      }
      // XGBoost 3.2's linear booster starts every score from the first base score.
      let box = LinearBlackBox(
        featureNames: names.features, outputNames: names.outputs,
        weights: Array(weights.dropLast(scoreCount)),
        baseScores: weights.suffix(scoreCount).map { base[0] + $0 }, link: objective.link)
      return ImportedModel(
        format: format, featureNames: names.features, blackBox: box, trees: nil, remarks: names.remarks)
    }
    let booster = try Booster(document, scoreCount: scoreCount, rounds: rounds, cells)
    let trees = try TreeEnsemble(
      featureNames: names.features, featureKinds: booster.kinds(count: names.features.count),
      outputNames: names.outputs, trees: booster.trees, baseScores: base, link: objective.link)
    return ImportedModel(format: format, trees, names.remarks)
  }

  private func nonEmptyTexts(_ key: String) throws(ModelProblem) -> [String]? {
    guard learner[key] != nil else { return nil }
    let texts = try learner.texts(key)
    return texts.isEmpty ? nil : texts
  }

  /// Both forms of base_score: one number, or one a score.
  private func baseScores(_ parameters: JSONValue, count: Int) throws(ModelProblem) -> [Double] {
    let numbers: [Double]
    switch try parameters.member("base_score") {
    case .number(let value): numbers = [value]
    case .integer(let value): numbers = [Double(value)]
    case .array: numbers = try parameters.numbers("base_score")
    case .string(let text):
      var list: [Double] = []
      let inner = text.hasPrefix("[") && text.hasSuffix("]") ? text.dropFirst().dropLast() : text[...]
      for part in inner.split(separator: ",") {
        guard let value = Double(part.filter { $0 != " " }) else {
          throw .malformed("\"base_score\" is \"\(text)\"")
        }
        list.append(value)
      }
      numbers = list
    default: throw .malformed("\"base_score\" is neither a number nor a list")
    }
    guard numbers.count == 1 || numbers.count == count, numbers.allSatisfy({ $0.isFinite }) else {
      throw .malformed("\"base_score\" holds \(numbers.count) numbers for \(count) scores")
    }
    return numbers.count == count ? numbers : [Double](repeating: numbers[0], count: count)
  }

  /// What the booster was trained for, and so how margins become predictions.
  private struct Objective {
    let link: TreeEnsemble.Link
    /// Whether base_score is a probability or a mean, to be brought to the margin's scale.
    private let base: Base
    let classifies: Bool

    private enum Base { case margin, probability, mean }

    init(name: String) throws(ModelProblem) {
      switch name {
      case "binary:logistic", "binary:logitraw":
        (link, base, classifies) = (.logistic(slope: 1), .probability, true)
      case "reg:logistic": (link, base, classifies) = (.logisticEach(slope: 1), .probability, false)
      case "binary:hinge": (link, base, classifies) = (.step, .margin, true)
      case "multi:softprob", "multi:softmax": (link, base, classifies) = (.softmax, .margin, true)
      case "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft":
        (link, base, classifies) = (.exponential, .mean, false)
      case "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror",
        "reg:absoluteerror", "reg:quantileerror", "reg:expectileerror", "rank:pairwise", "rank:ndcg",
        "rank:map":
        (link, base, classifies) = (.identity, .margin, false)
      default: throw .unsupported("the objective \(name)")
      }
    }

    func margins(_ scores: [Double]) throws(ModelProblem) -> [Double] {
      var margins: [Double] = []
      for score in scores {
        let margin =
          switch base {
          case .margin: score
          case .probability: -log(1 / score - 1)
          case .mean: log(score)
          }
        guard margin.isFinite else { throw .malformed("\"base_score\" \(score) does not fit the objective") }
        margins.append(margin)
      }
      return margins
    }
  }
}
