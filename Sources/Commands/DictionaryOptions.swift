// How a dictionary's codes are kept few, as the command line says it.

import SparseAutoencoders

/// The three ways to keep codes few, of which one may be given.
enum DictionaryOptions {
  static let batchTopK = Option<Int>(
    "batch-top-k", "N",
    help: "keep N codes a head's output on average, more for some and fewer for others, in place of --top-k")

  /// - Parameter lambda: the weight of the L1 norm, where one was given.
  static func sparsity(
    _ arguments: ParsedArguments, lambda: Double?, features: Int
  ) throws -> DictionarySparsity {
    let ways: [DictionarySparsity?] = [
      lambda.map { .penalty($0) }, arguments[TrainCommand.topK].map { .topK($0) },
      arguments[batchTopK].map { .batchTopK($0) },
    ]
    let given = ways.compactMap { $0 }
    guard given.count <= 1 else {
      throw UsageError.invalid(
        "--lambda, --top-k and --batch-top-k are three ways to keep codes few; give one")
    }
    let usual = DictionarySettings().sparsity.activeFeatures ?? 1
    return given.first ?? .topK(min(usual, features))
  }
}
