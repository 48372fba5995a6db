// The black box that a command line names.

import Tables
import TabularExplainer

extension ReadTable {
  /// Fits or opens the black box that `arguments` name, and probes it.
  func probed(_ arguments: ParsedArguments) throws -> ProbedBlackBox {
    let seed = arguments[ExplainingOptions.seed] ?? 0
    let word = arguments[ExplainingOptions.blackBox] ?? BlackBoxKind.extraTrees.rawValue
    guard let kind = BlackBoxKind(rawValue: word) else {
      throw UsageError.badValue(
        option: "black-box", value: word,
        expectation:
          "one of \(BlackBoxKind.allCases.map(\.rawValue).joined(separator: ", ")), or a model file")
    }
    return try kind.probed(table, training: split.training, seed: seed)
  }
}

extension ExplainerOptions {
  /// The options that `arguments` name.
  init(_ arguments: ParsedArguments) throws(UsageError) {
    self.init(seed: arguments[ExplainingOptions.seed] ?? 0)
    if case .count(let count) = arguments[ExplainingOptions.top] { top = count }
    surrogate = arguments[ExplainingOptions.surrogate]?.kind
    size = arguments[ExplainingOptions.leaves]
    if let size, size < 2 {
      throw .badValue(option: "leaves", value: "\(size)", expectation: "a whole number from 2")
    }
    if size != nil, surrogate == nil { surrogate = .tree }
  }
}
