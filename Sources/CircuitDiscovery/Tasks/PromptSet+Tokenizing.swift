// From prompts to tokens, checking everything a model would choke on.

/// What prompts are checked against: a model's tokenizer and its limits.
public struct PromptLimits: Sendable {
  /// The model's tokenizer; nil where it has none.
  public var tokenizer: (any PromptTokenizer)?
  /// The number of tokens the model embeds.
  public var vocabularySize: Int?
  /// The most tokens the model reads at once.
  public var contextLength: Int?
  /// The model's beginning-of-sequence token.
  public var beginningToken: Int?
  /// The tokens that texts end with, in models that look both ways.
  public var endingTokens: [Int] = []
  /// The token that stands for a hidden one, in models that say which one it is; nil for models of next tokens.
  public var maskToken: Int?

  /// The limits of a model; nil where a limit is unknown or absent.
  public init(
    tokenizer: (any PromptTokenizer)? = nil, vocabularySize: Int? = nil, contextLength: Int? = nil,
    beginningToken: Int? = nil
  ) {
    self.tokenizer = tokenizer
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.beginningToken = beginningToken
  }
}

extension PromptSet {
  /// Turns prompts into tokens.
  /// - Parameter task: the task's name or the file's path, also for messages.
  ///
  /// What answers of several tokens share before the first token in which they differ is put behind the prompt, and
  /// behind its negative where that has no answers of its own.
  /// - Throws: `TaskError` for an empty set, a set without positives, answers that cannot be told apart, a prompt
  ///   longer than the context, a token or position out of range, or a pair number that does not tie exactly one
  ///   positive to one negative.
  public init(
    _ prompts: [Prompt], task: String, seed: UInt64, metric: AnswerMetric = .logitDifference,
    limits: PromptLimits, beginning: BeginningOfSequence = .auto
  ) throws(TaskError) {
    guard !prompts.isEmpty else { throw .noPrompts(source: task) }
    guard prompts.contains(where: \.isPositive) else {
      throw .noPositives(source: task, prompts: prompts.count)
    }
    let reader = try PromptReader(prompts, task: task, limits: limits, beginning: beginning)
    var tokenized: [TokenizedPrompt] = []
    tokenized.reserveCapacity(prompts.count)
    for (index, prompt) in prompts.enumerated() { tokenized.append(try reader.tokenized(prompt, index)) }
    try reader.checkPairs(of: prompts)
    self.init(task: task, seed: seed, beginningToken: reader.first, metric: metric, prompts: tokenized)
  }

  /// Refuses a set without negatives, which nothing can be compared with.
  public func requireNegatives() throws(TaskError) {
    guard prompts.contains(where: { !$0.isPositive }) else {
      throw .noNegatives(source: task, prompts: prompts.count)
    }
  }
}

/// Turns the prompts of one set into tokens, one at a time.
struct PromptReader {
  let task: String
  let limits: PromptLimits
  /// The beginning-of-sequence token put before every prompt.
  let first: Int?
  /// What the answers of a pair's positive share, for negatives without answers.
  private let sharedByPair: [Int: [Int]]

  /// - Throws: `TaskError.noBeginningToken` where one is asked for and there is none.
  init(
    _ prompts: [Prompt], task: String, limits: PromptLimits, beginning: BeginningOfSequence
  ) throws(TaskError) {
    let areTexts = prompts.contains { if case .text = $0.content { true } else { false } }
    let startsWithToken = beginning == .on || beginning == .auto && areTexts && limits.beginningToken != nil
    if startsWithToken, limits.beginningToken == nil { throw .noBeginningToken }
    self.task = task
    self.limits = limits
    first = startsWithToken ? limits.beginningToken : nil
    var shared: [Int: [Int]] = [:]
    for prompt in prompts where prompt.isPositive {
      guard let pair = prompt.pair, let answers = try? AnswerSequences(prompt, tokenizer: limits.tokenizer),
        let count = answers.sharedCount, count > 0
      else { continue }
      shared[pair] = answers.shared
    }
    sharedByPair = shared
  }

  func tokenized(_ prompt: Prompt, _ index: Int) throws(TaskError) -> TokenizedPrompt {
    var tokens: [Int]
    var text: String?
    switch prompt.content {
    case .tokens(let ids): tokens = ids
    case .text(let words):
      guard let tokenizer = limits.tokenizer else { throw .needsTokenizer(task: task) }
      tokens = tokenizer.tokens(of: words)
      text = words
    }
    guard !tokens.isEmpty else {
      throw .badPrompt(source: task, prompt: index, problem: "it has no tokens")
    }
    let shift = first == nil ? 0 : 1
    var positions: [String: Int] = [:]
    for (name, position) in prompt.positions {
      let resolved = position < 0 ? tokens.count + position : position
      guard tokens.indices.contains(resolved) else {
        let problem = "position \"\(name)\" is \(position), and it has \(tokens.count) tokens"
        throw .badPrompt(source: task, prompt: index, problem: problem)
      }
      positions[name] = resolved + shift
    }
    if let first { tokens.insert(first, at: 0) }
    if text != nil { tokens += limits.endingTokens }
    if let mask = limits.maskToken, positions["answer"] == nil {
      let places = tokens.indices.filter { tokens[$0] == mask }
      guard places.count == 1 else {
        let problem = "it has \(places.count) masked tokens, and the answer belongs to exactly one"
        throw .badPrompt(source: task, prompt: index, problem: problem)
      }
      positions["answer"] = places[0]
    }
    let answers = try answers(of: prompt, index)
    if prompt.answers.isEmpty, prompt.wrong.isEmpty, let pair = prompt.pair {
      tokens += sharedByPair[pair] ?? []
    } else if !answers.shared.isEmpty {
      if let place = positions["answer"], place != tokens.count - 1 {
        throw .badPrompt(
          source: task, prompt: index,
          problem:
            "its answers share their first token, which can follow its end alone, not position \(place)")
      }
      positions["answer"] = nil
      tokens += answers.shared
    }
    positions["last"] = tokens.count - 1
    let longest = (answers.right + answers.wrong).map(\.count).max() ?? 1
    if let place = positions["answer"], place != tokens.count - 1, longest > 1 {
      throw .badPrompt(
        source: task, prompt: index,
        problem: limits.maskToken == nil
          ? "it has an answer of \(longest) tokens, which can follow its end alone, not position \(place)"
          : "it has an answer of \(longest) tokens, and a masked token has room for one")
    }
    if positions["answer"] == nil { positions["answer"] = tokens.count - 1 }
    // Nothing is read behind an answer's last token.
    let read = tokens.count + longest - 1
    if let context = limits.contextLength, read > context {
      throw .promptTooLong(source: task, prompt: index, tokens: read, context: context)
    }
    try checkVocabulary(tokens, index)
    return TokenizedPrompt(
      tokens: tokens, isPositive: prompt.isPositive, answers: answers.right, wrong: answers.wrong,
      lead: answers.shared, pair: prompt.pair, positions: positions, text: text)
  }

  /// A prompt's answers behind the tokens that all of them begin with, and those.
  private func answers(
    of prompt: Prompt, _ index: Int
  ) throws(TaskError) -> (right: [[Int]], wrong: [[Int]], shared: [Int]) {
    let sequences: AnswerSequences
    do {
      sequences = try AnswerSequences(prompt, tokenizer: limits.tokenizer)
    } catch {
      switch error {
      case .noTokenizer: throw .needsTokenizer(task: task)
      case .notInVocabulary(let text, let what):
        throw .notOneToken(
          text: text, tokens: 0, tokenizer: limits.tokenizer?.label ?? "",
          place: "\(what) of prompt \(index) of \(task)")
      }
    }
    if let problem = sequences.problem {
      throw .badPrompt(source: task, prompt: index, problem: problem)
    }
    try checkVocabulary(sequences.right.flatMap { $0 } + sequences.wrong.flatMap { $0 }, index)
    return (sequences.remaining(sequences.right), sequences.remaining(sequences.wrong), sequences.shared)
  }

  private func checkVocabulary(_ tokens: [Int], _ index: Int) throws(TaskError) {
    guard let size = limits.vocabularySize else { return }
    for token in tokens where token < 0 || token >= size {
      throw .tokenOutside(source: task, prompt: index, token: token, vocabulary: size)
    }
  }

  func checkPairs(of prompts: [Prompt]) throws(TaskError) {
    var seen: Set<[Int]> = []
    for (index, prompt) in prompts.enumerated() { try checkPair(of: prompt, index, among: &seen) }
  }

  /// Refuses a pair that has a prompt of this kind already.
  func checkPair(of prompt: Prompt, _ index: Int, among seen: inout Set<[Int]>) throws(TaskError) {
    guard let pair = prompt.pair else { return }
    guard seen.insert([pair, prompt.isPositive ? 1 : 0]).inserted else {
      let kind = prompt.isPositive ? "positive" : "negative"
      throw .badPrompt(source: task, prompt: index, problem: "pair \(pair) already has a \(kind) prompt")
    }
  }
}
