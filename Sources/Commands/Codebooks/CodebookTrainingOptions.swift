// What `train-model` is told about codebooks.

import CircuitDiscovery
import Tensors
import Transformers

extension TrainModelCommand {
  static let codebook = Option<String>(
    "codebook", "PLACES", help: "codebooks on each head's z and each MLP's output: heads, mlp or both")
  static let codes = Option<Int>("codes", "N", default: 1000, help: "codes of a codebook")
  static let active = Option<Int>("active", "K", default: 1, help: "codes that are summed at a position")
  static let activeFrom = Option<Int>(
    "active-from", "K", help: "codes that are summed at the first step; they become --active codes")
  static let activeSteps = Option<Int>(
    "active-steps", "N", help: "the step by which that many are left; half of --steps unless given")
  static let similarity = Option<String>(
    "similarity", "KIND", default: "cosine",
    help: "which codes are nearest: by inner-product, cosine or euclidean distance")
  static let commitment = Option<Double>(
    "commitment", "X", default: 0, help: "weight of the distance of vectors to their codes in what they learn"
  )
  static let replaceEvery = Option<Int>(
    "replace-every", "N", default: 100,
    help: "steps after which codes that nothing chose take the place of a recent vector; 0 for never")
  static let codesFollow = Option<Double>(
    "codes-follow", "X", default: 0,
    help: "how far each use moves a code towards what it stands for, in place of its gradient: 0 to 1")
  static let codePrice = Option<Double>(
    "code-price", "X",
    help: "merge near codes of MLPs, with --from: what a code costs per nat of its rarity, about 0.05")
  static let merges = Option<Int>(
    "merges", "N", help: "how often they merge, up to that price (default 1, before the first step)")

  /// Refuses options of codebooks where none are made and the model that is trained on has none.
  static func checkCodebookOptions(
    _ arguments: ParsedArguments, _ found: CodebookConfiguration?
  ) throws {
    guard arguments[codebook] == nil else { return }
    let ofNew: [any OptionDeclaration] = [codes, active, activeFrom, activeSteps, similarity]
    let ofTraining: [any OptionDeclaration] = [commitment, replaceEvery, codesFollow, codePrice, merges]
    guard let option = (found == nil ? ofNew + ofTraining : ofNew).first(where: { arguments.isGiven($0) })
    else {
      return
    }
    throw UsageError.invalid(
      found == nil
        ? "--\(option.name) says something about codebooks: add --codebook heads, mlp or both"
        : "--from keeps the model's codebooks as they are: --\(option.name) has nothing to say; "
          + "--codebook makes new ones")
  }

  /// The codebooks that are asked for.
  static func codebooks(
    _ arguments: ParsedArguments, _ plan: ModelTrainingPlan
  ) throws -> CodebookConfiguration? {
    guard let text = arguments[codebook] else { return nil }
    let places: [String: Set<CodebookConfiguration.Place>] = [
      "heads": [.heads], "mlp": [.mlp], "both": [.heads, .mlp],
    ]
    guard let chosen = places[text] else {
      throw UsageError.invalid("--codebook is heads, mlp or both, not '\(text)'")
    }
    guard plan.mlpWidth > 0 || !chosen.contains(.mlp) else {
      throw UsageError.invalid("--codebook \(text) needs MLPs, which --attention-only leaves out")
    }
    let kinds = CodeSimilarity.allCases.map(\.rawValue)
    let name = try arguments.required(similarity)
    guard let kind = CodeSimilarity(rawValue: name) else {
      throw UsageError.invalid("--similarity is \(kinds.joined(separator: ", ")), not '\(name)'")
    }
    let (count, used) = (try positive(codes, arguments), try positive(active, arguments))
    guard used <= count else {
      throw UsageError.invalid("--active \(used) is more than the \(count) codes of --codes")
    }
    guard count < 1 << 24 else { throw UsageError.invalid("--codes must be below 16,777,216") }
    return CodebookConfiguration(places: chosen, codes: count, active: used, similarity: kind)
  }

  static func codeTraining(_ arguments: ParsedArguments) throws -> CodeTraining {
    var training = CodeTraining()
    training.commitment = try arguments.required(commitment)
    training.replacementInterval = try arguments.required(replaceEvery)
    training.following = try arguments.required(codesFollow)
    training.merging = try merging(arguments)
    // Codes that were merged away would come back otherwise.
    if training.merging != nil && !arguments.isGiven(replaceEvery) { training.lastReplacement = 0 }
    if let first = arguments[activeFrom] {
      let (total, last) = (try positive(steps, arguments), try positive(active, arguments))
      let decline = arguments[activeSteps] ?? max(1, total / 2)
      guard first > last, first <= (try positive(codes, arguments)) else {
        throw UsageError.invalid("--active-from \(first) must be above --active \(last), and at most --codes")
      }
      guard (1..<total).contains(decline) else {
        throw UsageError.invalid(
          "--active-steps \(decline) must lie between 1 and the steps of the training, \(total)")
      }
      training.activeDecline = .init(first: first, steps: decline)
    } else if arguments.isGiven(activeSteps) {
      throw UsageError.invalid("--active-steps goes with --active-from")
    }
    guard training.commitment >= 0 else { throw UsageError.invalid("--commitment must not be below 0") }
    guard training.replacementInterval >= 0 else {
      throw UsageError.invalid("--replace-every must not be below 0")
    }
    guard (0...1).contains(training.following) else {
      throw UsageError.invalid("--codes-follow must lie between 0 and 1")
    }
    return training
  }

  private static func merging(_ arguments: ParsedArguments) throws -> CodeTraining.Merging? {
    guard let price = arguments[codePrice] else {
      guard !arguments.isGiven(merges) else { throw UsageError.invalid("--merges goes with --code-price") }
      return nil
    }
    guard price > 0 else { throw UsageError.invalid("--code-price must be above 0") }
    guard arguments[from] != nil else {
      throw UsageError.invalid("--code-price merges codes of a model that knows its task: add --from")
    }
    let (times, total) = (arguments[merges] ?? 1, try positive(steps, arguments))
    guard (1...total).contains(times) else {
      throw UsageError.invalid("--merges \(times) must lie between 1 and the steps of the training, \(total)")
    }
    return .init(price: price, times: times)
  }

  /// Refuses to merge where there is nothing to merge by or on.
  static func checkMerging(_ plan: ModelTrainingPlan, _ found: CodebookConfiguration?) throws {
    guard plan.codes.merging != nil, let codebooks = plan.codebooks ?? found else { return }
    guard codebooks.places.contains(.mlp) else {
      throw UsageError.invalid("--code-price merges codes of MLPs, and these codebooks are on heads alone")
    }
    guard codebooks.similarity == .cosine else {
      throw UsageError.invalid("--code-price goes with codes that are near by cosine")
    }
  }
}
