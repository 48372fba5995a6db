// From a task spec to prompts: N positives, each with its own negative, the same for the same seed.

import Files
import Tensors

/// Prompts made from a spec, and what was noticed on the way.
public struct GeneratedPrompts: Equatable, Sendable {
  /// Each positive followed by its negative.
  public var prompts: [Prompt]
  /// Words left out because they are not one token, by list.
  public var dropped: [WordList]
  /// Draws rejected because a slot was not one token where it stood.
  public var rejected: Int
  /// Positives that occur more than once, because the spec has no more.
  public var duplicates: Int
}

extension TaskSpec {
  /// Makes `examples` positives and as many negatives; templates come in equal proportions, and a prompt is not
  /// repeated while others are left.
  ///
  /// Literal prompts and files are taken as they are: `examples` then limits the number of positives, and
  /// negatives are kept by pair, or in order up to the same number.
  /// - Parameters:
  ///   - limits: the model's tokenizer, or its vocabulary for random tokens.
  ///   - seed: the same seed gives the same prompts.
  public func prompts(examples: Int?, seed: UInt64, limits: PromptLimits) throws -> GeneratedPrompts {
    let count = examples ?? 250
    switch source {
    case .prompts(let prompts): return selected(prompts, examples: examples)
    case .file(let path): return selected(try readPrompts(at: path), examples: examples)
    case .templates(let source):
      guard let tokenizer = limits.tokenizer else { throw TaskError.needsTokenizer(task: name) }
      return try templatePrompts(source, tokenizer: tokenizer, count: count, seed: seed)
    case .repeatedSpan(let source):
      let maker = try RepeatedSpanGenerator(
        task: name, source, tokenizer: limits.tokenizer, vocabularySize: limits.vocabularySize)
      return drawnPrompts(
        count: count, seed: seed,
        dropped: maker.dropped.isEmpty ? [] : [WordList(name: "repeated_span", words: maker.dropped)],
        maker.pair)
    case .stateMachine(let source):
      let maker = try WalkGenerator(task: name, source, tokenizer: limits.tokenizer)
      return drawnPrompts(count: count, seed: seed, dropped: [], maker.pair)
    }
  }

  private func templatePrompts(
    _ source: TemplateSource, tokenizer: any PromptTokenizer, count: Int, seed: UInt64
  ) throws(TaskError) -> GeneratedPrompts {
    var maker = try TemplateGenerator(self, source, tokenizer: tokenizer)
    var generator = SeededGenerator(seed: seed, stream: "prompts of \(name)")
    var seen: Set<String> = []
    var prompts: [Prompt] = []
    var duplicates = 0
    var order: [Int] = []
    for number in 0..<max(0, count) {
      if order.isEmpty { order = generator.permutation(of: source.templates.count) }
      let wording = source.templates[order.removeLast()]
      let drawn = try maker.pair(wording, number: number, isNew: { !seen.contains($0) }, using: &generator)
      if case .text(let text) = drawn.pair.positive.content { seen.insert(text) }
      if !drawn.isNew { duplicates += 1 }
      prompts += [drawn.pair.positive, drawn.pair.negative]
    }
    return GeneratedPrompts(
      prompts: prompts, dropped: maker.choice.dropped.map { WordList(name: $0.list, words: $0.words) },
      rejected: maker.rejected, duplicates: duplicates)
  }

  /// Pairs drawn one after the other, each as new as can be had in 200 tries.
  private func drawnPrompts(
    count: Int, seed: UInt64, dropped: [WordList],
    _ pairs: (_ number: Int, _ generator: inout SeededGenerator) -> TemplateGenerator.Pair
  ) -> GeneratedPrompts {
    var generator = SeededGenerator(seed: seed, stream: "prompts of \(name)")
    var seen: Set<String> = []
    var prompts: [Prompt] = []
    var duplicates = 0
    for number in 0..<max(0, count) {
      var pair = pairs(number, &generator)
      var tries = 0
      while seen.contains(pair.positive.jsonValue.line), tries < 200 {
        pair = pairs(number, &generator)
        tries += 1
      }
      if !seen.insert(pair.positive.jsonValue.line).inserted { duplicates += 1 }
      prompts += [pair.positive, pair.negative]
    }
    return GeneratedPrompts(prompts: prompts, dropped: dropped, rejected: 0, duplicates: duplicates)
  }

  private func selected(_ prompts: [Prompt], examples: Int?) -> GeneratedPrompts {
    let kept = examples.map { firstPrompts(prompts, positives: $0) } ?? prompts
    return GeneratedPrompts(prompts: kept, dropped: [], rejected: 0, duplicates: 0)
  }

  /// Prompts made from the spec and turned into tokens.
  public func promptSet(
    examples: Int?, seed: UInt64, limits: PromptLimits, beginning: BeginningOfSequence = .auto
  ) throws -> PromptSet {
    let generated = try prompts(examples: examples, seed: seed, limits: limits)
    return try PromptSet(
      generated.prompts, task: name, seed: seed, metric: metric, limits: limits, beginning: beginning)
  }
}

/// The first `positives` positives of some prompts with the negatives of their pairs; of negatives without a partner as
/// many, in order.
public func firstPrompts(_ prompts: [Prompt], positives: Int) -> [Prompt] {
  let first = prompts.filter(\.isPositive).prefix(positives)
  let pairs = Set(first.compactMap(\.pair))
  var left = first.count
  var unpaired = 0
  return prompts.filter { prompt in
    if prompt.isPositive {
      left -= 1
      return left >= 0
    }
    if let pair = prompt.pair { return pairs.contains(pair) }
    unpaired += 1
    return unpaired <= positives
  }
}
