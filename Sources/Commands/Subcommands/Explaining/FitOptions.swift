// What `headlamp fit` fits: the black box's kind and its settings.

import TabularExplainer
import Trees

extension BlackBoxKind: ArgumentValue {}

/// The options of `fit` that choose a black box.
enum FitOptions {
  static let kind = Option<BlackBoxKind>(
    "black-box", "KIND", default: .extraTrees,
    help: BlackBoxKind.allCases.map(\.rawValue).joined(separator: ", "))
  static let trees = Option<Int>("trees", "N", help: "trees of a forest (300), or boosting rounds (100)")
  static let depth = Option<Int>(
    "depth", "N",
    help: "the most splits above a leaf (boosted: 4 below 2,000 rows, else 6; forests: no limit)")
  static let learningRate = Option<Double>(
    "learning-rate", "RATE",
    help: "boosted: what trees are multiplied by, above 0 to 1 (0.1 below 50,000 rows, else 0.3)")
  static let bins = Option<Int>(
    "bins", "N",
    help:
      "boosted: the most bins of a feature, 2 to 255 (below 2,000 rows 32, or 128 for quantities; else 255)")
  static let rowShare = Option<Double>(
    "row-share", "SHARE",
    help: "boosted: the share of rows that a round is fitted to (0.8 below 2,000 rows, else 1)")
  static let featureShare = Option<Double>(
    "feature-share", "SHARE",
    help:
      "boosted: the share of features that a tree may ask about (0.7 for quantities below 50,000 rows; else 1, or 0.3 where "
      + "trials below 2,000 rows speak for it)"
  )
  static let leafWeight = Option<Double>(
    "leaf-weight", "W",
    help:
      "boosted: the least sum of hessians in a leaf (3 rows for quantities below 50,000 rows; else 0.1 below 2,000, 1 from there)"
  )
  static let categoryRows = Option<Int>(
    "category-rows", "N",
    help: "the fewest rows of a category that a tree may ask about (4, fewer in tables of less than 80 rows)")
  static let all: [any OptionDeclaration] = [
    kind, trees, depth, learningRate, bins, rowShare, featureShare, leafWeight, categoryRows,
  ]

  /// The black box that `arguments` ask for.
  /// - Throws: `UsageError` where a setting is out of its range or not one of the kind's.
  static func model(_ arguments: ParsedArguments) throws(UsageError) -> FittedKind {
    let kind = try arguments.required(kind)
    switch kind {
    case .perceptron, .convolutionalAttention:
      try refuse(
        [trees, depth, bins, categoryRows], [learningRate, rowShare, featureShare, leafWeight], arguments
      ) {
        "--\($0) is for trees, and \(kind.rawValue) is a network"
      }
      return .network(kind == .perceptron ? .perceptron(.init()) : .convolutionalAttention(.init()))
    case .boosted: return .trees(.boosted(try boosting(arguments)))
    case .forest, .extraTrees:
      try refuse([bins], [learningRate, rowShare, featureShare, leafWeight], arguments) {
        "--\($0) is for boosted trees, and \(kind.rawValue) has no use for it"
      }
      var options: ForestOptions = kind == .forest ? .randomForest : .extraTrees
      options.treeCount = try atLeastOne(trees, arguments) ?? 300
      options.maximumDepth = try atLeastOne(depth, arguments)
      options.minimumCategoryRows = try atLeastOne(categoryRows, arguments)
      options.seed = try arguments.required(ExplainingOptions.seed)
      return .trees(.forest(options))
    }
  }

  static func boosting(_ arguments: ParsedArguments) throws(UsageError) -> BoostingOptions {
    var options = BoostingOptions()
    options.rounds = try atLeastOne(trees, arguments) ?? options.rounds
    options.maximumDepth = try atLeastOne(depth, arguments)
    options.learningRate = try share(learningRate, arguments)
    options.maximumBins = arguments[bins]
    options.minimumCategoryRows = try atLeastOne(categoryRows, arguments)
    options.rowShare = try share(rowShare, arguments)
    options.featureShare = try share(featureShare, arguments)
    options.minimumLeafWeight = arguments[leafWeight]
    options.seed = try arguments.required(ExplainingOptions.seed)
    guard options.maximumDepth ?? 1 <= 12 else { throw .invalid("--depth of boosted trees is at most 12") }
    guard (2...255).contains(options.maximumBins ?? 2) else { throw .invalid("--bins wants 2 to 255") }
    guard options.minimumLeafWeight ?? 1 > 0 else { throw .invalid("--leaf-weight wants a number above 0") }
    return options
  }

  private static func atLeastOne(
    _ option: Option<Int>, _ arguments: ParsedArguments
  ) throws(UsageError) -> Int? {
    guard let value = arguments[option] else { return nil }
    guard value >= 1 else { throw .invalid("--\(option.name) wants a whole number from 1") }
    return value
  }

  private static func share(
    _ option: Option<Double>, _ arguments: ParsedArguments
  ) throws(UsageError) -> Double? {
    guard let value = arguments[option] else { return nil }
    guard value > 0, value <= 1 else { throw .invalid("--\(option.name) wants a number above 0, at most 1") }
    return value
  }

  private static func refuse(
    _ counts: [Option<Int>], _ shares: [Option<Double>], _ arguments: ParsedArguments,
    because sentence: (String) -> String
  ) throws(UsageError) {
    let given =
      counts.filter { arguments.isGiven($0) }.map(\.name)
      + shares.filter { arguments.isGiven($0) }.map(\.name)
    if let name = given.first { throw .invalid(sentence(name)) }
  }
}
