// A black box of our own on its way from an option to a file.

import Tables
import TabularExplainer
import Trees

/// What is fitted, with its settings.
enum FittedKind {
  case trees(TreeModel)
  case network(NetworkArchitecture)

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

  var description: String {
    switch self {
    case .trees(let ensemble): "\(ensemble.trees.count) trees"
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
