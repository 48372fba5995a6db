// One row's contributions: exact for trees, a surrogate's with a remainder for everything else.

import Tables
import Tensors
import Trees

extension Explainer {
  /// Contributions to the outputs of some rows.
  /// - Parameters:
  ///   - rows: the rows.
  ///   - predictions: the black box's outputs for them.
  func contributions(of rows: Features, predictions: [[Double]]) throws -> [Contributions] {
    if let ensemble = probed.ensemble {
      return try Contributions.byRow(.treeSHAP, ensemble, rows, tableNames: table.features.names)
    }
    var stand = choice.tree
    if case .trees = choice.surrogate.model { stand = choice.surrogate }
    guard case .trees(let ensemble) = stand.model else {
      preconditionFailure("a tree surrogate is made of trees")
    }
    let found = try Contributions.byRow(
      .surrogateSHAP, ensemble, rows.selecting(features: stand.features), tableNames: table.features.names)
    return zip(found, predictions).map { own, prediction in
      var contributions = own
      contributions.remainder = prediction.indices.map { output in
        let sum = contributions.values.reduce(contributions.baseline[output]) { $0 + $1[output] }
        return prediction[output] - sum
      }
      return contributions
    }
  }
}

extension Contributions {
  /// SHAP values of one row of a table that holds the ensemble's features.
  init(
    _ method: Method, _ ensemble: TreeEnsemble, _ single: Features, tableNames: [String]
  ) throws {
    self = try Self.byRow(method, ensemble, single, tableNames: tableNames)[0]
  }

  /// SHAP values of every row of a table that holds the ensemble's features.
  static func byRow(
    _ method: Method, _ ensemble: TreeEnsemble, _ table: Features, tableNames: [String]
  ) throws -> [Contributions] {
    let shap = try ensemble.shapValues(table)
    let places = Dictionary(zip(tableNames, 0...), uniquingKeysWith: { first, _ in first })
    let features = shap.features.map { places[ensemble.featureNames[$0]] ?? 0 }
    let scores = shap.scoreCount
    return (0..<table.rowCount).map { row in
      let start = row * shap.features.count
      return Contributions(
        method, ensemble, features: features, base: shap.baseScores,
        byScore: shap.features.indices.map { feature in
          (0..<scores).map { shap.values[(start + feature) * scores + $0] }
        })
    }
  }

  private init(
    _ method: Method, _ ensemble: TreeEnsemble, features: [Int], base: [Double], byScore: [[Double]]
  ) {
    self.method = method
    self.features = features
    // One score for two classes: what moves towards the second moves away from the first.
    switch ensemble.link {
    case .complement:
      values = byScore.map { [-$0[0], $0[0]] }
      baseline = [1 - base[0], base[0]]
    case .logistic, .step:
      values = byScore.map { [-$0[0], $0[0]] }
      baseline = [-base[0], base[0]]
    case .identity, .logisticEach, .softmax, .exponential, .signedSquare:
      values = byScore
      baseline = base
    }
    remainder = [Double](repeating: 0, count: baseline.count)
    let isClasses = ensemble.outputNames.count > 1
    switch ensemble.link {
    case .identity: unit = isClasses ? .probability : .target
    case .complement: unit = .probability
    case .logistic(let slope), .logisticEach(let slope):
      unit = .logOdds
      self.slope = slope
    case .softmax: unit = .logProbability
    case .exponential: unit = .log
    case .signedSquare: unit = .squareRoot
    case .step: unit = .score
    }
  }
}
