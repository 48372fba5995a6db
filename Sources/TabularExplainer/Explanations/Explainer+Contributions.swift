// One row's contributions: exact for trees, a surrogate's with a remainder for everything else.

import Tables
import Tensors
import Trees

extension Explainer {
  /// Contributions to the outputs of one row.
  /// - Parameters:
  ///   - single: a table of the one row.
  ///   - prediction: the black box's outputs for it.
  func contributions(of single: Features, prediction: [Double]) throws -> Contributions {
    if let ensemble = probed.ensemble {
      return try Contributions(.treeSHAP, ensemble, single, tableNames: table.features.names)
    }
    var stand = choice.tree
    if case .trees = choice.surrogate.model { stand = choice.surrogate }
    guard case .trees(let ensemble) = stand.model else {
      preconditionFailure("a tree surrogate is made of trees")
    }
    var contributions = try Contributions(
      .surrogateSHAP, ensemble, single.selecting(features: stand.features), tableNames: table.features.names)
    contributions.remainder = prediction.indices.map { output in
      let sum = contributions.values.reduce(contributions.baseline[output]) { $0 + $1[output] }
      return prediction[output] - sum
    }
    return contributions
  }
}

extension Contributions {
  /// SHAP values of one row of a table that holds the ensemble's features.
  init(
    _ method: Method, _ ensemble: TreeEnsemble, _ single: Features, tableNames: [String]
  ) throws {
    let shap = try ensemble.shapValues(single)
    let places = Dictionary(zip(tableNames, 0...), uniquingKeysWith: { first, _ in first })
    self.method = method
    let scores = shap.scoreCount
    features = shap.features.map { places[ensemble.featureNames[$0]] ?? 0 }
    var byScore = shap.features.indices.map { feature in
      (0..<scores).map { shap.values[feature * scores + $0] }
    }
    var base = shap.baseScores
    // One score for two classes: what moves towards the second moves away from the first.
    switch ensemble.link {
    case .complement:
      byScore = byScore.map { [-$0[0], $0[0]] }
      base = [1 - base[0], base[0]]
    case .logistic, .step:
      byScore = byScore.map { [-$0[0], $0[0]] }
      base = [-base[0], base[0]]
    case .identity, .logisticEach, .softmax, .exponential: break
    }
    values = byScore
    baseline = base
    remainder = [Double](repeating: 0, count: base.count)
    let isClasses = ensemble.outputNames.count > 1
    switch ensemble.link {
    case .identity: unit = isClasses ? .probability : .target
    case .complement: unit = .probability
    case .logistic(let slope), .logisticEach(let slope):
      unit = .logOdds
      self.slope = slope
    case .softmax: unit = .logProbability
    case .exponential: unit = .log
    case .step: unit = .score
    }
  }
}
