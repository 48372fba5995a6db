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
struct XGBoostModel {
  private let learner: JSONValue

  /// Looks for the learner in a parsed document.
  init(_ document: JSONValue) throws(ModelProblem) {
    learner = try document.member("learner")
  }

  /// Whether a document looks like XGBoost's.
  static func recognises(_ document: JSONValue) -> Bool { document["learner"] != nil }

  /// The booster's trees and how their scores become predictions.
  func ensemble(path: String, format: ModelFileFormat, _ context: ModelContext) throws(ModelFileError)
    -> TreeEnsemble
  {
    do {
      let parameters = try learner.member("learner_model_param")
      let objective = try Objective(name: try learner.member("objective").text("name"))
      let classCount = try parameters.count("num_class")
      if let targets = parameters["num_target"], targets != .string("1"), targets != .integer(1) {
        throw ModelProblem.unsupported("more than one target")
      }
      let scoreCount = max(1, classCount)
      let booster = try Booster(try learner.member("gradient_booster"), scoreCount: scoreCount)
      let outputCount = objective.link == .logistic(slope: 1) ? 2 : scoreCount
      let ownNames = try nonEmptyTexts("feature_names")
      let names = try ModelNames(
        features: ownNames, featureCount: try parameters.count("num_feature"), classes: nil,
        outputCount: outputCount, classifies: objective.classifies
      ).settled(in: context, path: path)
      return try TreeEnsemble(
        featureNames: names.features, featureKinds: booster.kinds(count: names.features.count),
        outputNames: names.outputs, trees: booster.trees,
        baseScores: try objective.margins(baseScores(parameters, count: scoreCount)), link: objective.link)
    } catch let problem as ModelProblem {
      throw problem.located(path: path, format: format)
    } catch let error as TreeError {
      throw error.modelProblem.located(path: path, format: format)
    } catch let error as ModelFileError {
      throw error
    } catch {
      throw .malformed(path: path, format: format, problem: "\(error)")
    }
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
      case "binary:logistic": (link, base, classifies) = (.logistic(slope: 1), .probability, true)
      case "reg:logistic": (link, base, classifies) = (.logisticEach(slope: 1), .probability, false)
      case "binary:logitraw": (link, base, classifies) = (.identity, .probability, false)
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
