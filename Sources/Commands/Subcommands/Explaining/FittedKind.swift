// A black box of our own on its way from an option to a file.

import Tables
import TabularExplainer
import Trees

/// What is fitted, with its settings.
enum FittedKind {
  case trees(TreeModel)
  case network(NetworkArchitecture)

  /// Whether scores are shrunk by what folds show: boosted trees are surer of classes than they should be.
  func isCalibrated(on target: Target) -> Bool {
    if case .trees(.boosted) = self, case .classes = target { true } else { false }
  }

  func fit(_ table: Table, seed: UInt64) throws -> FittedModel {
    switch self {
    case .trees(let model): return .trees(try model.fit(table).ensemble)
    case .network(let architecture):
      return .network(
        try NetworkBlackBox(
          fitting: table.features, table.target, architecture, targetName: table.targetName, seed: seed))
    }
  }
}

enum FittedModel {
  case trees(TreeEnsemble)
  case network(NetworkBlackBox)

  var blackBox: any BlackBox {
    switch self {
    case .trees(let ensemble): TreeBlackBox(ensemble)
    case .network(let network): network
    }
  }

  /// The same model with its scores shrunk; only trees have scores.
  func calibrated(_ calibration: Calibration) -> FittedModel {
    guard case .trees(let ensemble) = self, calibration.factor < 1 else { return self }
    return .trees(ensemble.multiplyingScores(by: calibration.factor))
  }

  var description: String {
    switch self {
    case .trees(let ensemble): ReadingText.count(ensemble.trees.count, "tree")
    case .network: "a network"
    }
  }

  func write(to path: String) throws {
    switch self {
    case .trees(let ensemble): try ensemble.write(to: path)
    case .network(let network): try network.write(to: path)
    }
  }
}
