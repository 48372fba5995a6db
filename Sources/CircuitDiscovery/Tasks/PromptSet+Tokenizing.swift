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
  /// - Throws: `TaskError` for an empty set, a set without positives, an answer that is not one token, a prompt
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
    let areTexts = prompts.contains { if case .text = $0.content { true } else { false } }
    let startsWithToken = beginning == .on || beginning == .auto && areTexts && limits.beginningToken != nil
    if startsWithToken, limits.beginningToken == nil { throw .noBeginningToken }
    let first = startsWithToken ? limits.beginningToken : nil
    let reader = PromptReader(task: task, limits: limits, first: first)
    var tokenized: [TokenizedPrompt] = []
    tokenized.reserveCapacity(prompts.count)
    for (index, prompt) in prompts.enumerated() { tokenized.append(try reader.tokenized(prompt, index)) }
    try reader.checkPairs(of: prompts)
    self.init(task: task, seed: seed, beginningToken: first, metric: metric, prompts: tokenized)
  }

  /// Refuses a set without negatives, which nothing can be compared with.
  public func requireNegatives() throws(TaskError) {
    guard prompts.contains(where: { !$0.isPositive }) else {
      throw .noNegatives(source: task, prompts: prompts.count)
    }
  }
}

private struct PromptReader {
  let task: String
  let limits: PromptLimits
  /// The beginning-of-sequence token put before every prompt.
  let first: Int?

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
    positions["last"] = tokens.count - 1
    if positions["answer"] == nil { positions["answer"] = tokens.count - 1 }
    if let context = limits.contextLength, tokens.count > context {
      throw .promptTooLong(source: task, prompt: index, tokens: tokens.count, context: context)
    }
    try checkVocabulary(tokens, index)
    return TokenizedPrompt(
      tokens: tokens, isPositive: prompt.isPositive,
      answers: try continuations(prompt.answers, "answer", index),
      wrong: try continuations(prompt.wrong, "wrong answer", index), pair: prompt.pair, positions: positions,
      text: text)
  }

  private func continuations(
    _ list: [Prompt.Continuation], _ what: String, _ index: Int
  ) throws(TaskError) -> [Int] {
    var tokens: [Int] = []
    for continuation in list {
      switch continuation {
      case .token(let token): tokens.append(token)
      case .text(let text):
        guard let tokenizer = limits.tokenizer else { throw .needsTokenizer(task: task) }
        tokens.append(try tokenizer.token(of: text, place: "\(what) of prompt \(index) of \(task)"))
      }
    }
    try checkVocabulary(tokens, index)
    return tokens
  }

  private func checkVocabulary(_ tokens: [Int], _ index: Int) throws(TaskError) {
    guard let size = limits.vocabularySize else { return }
    for token in tokens where token < 0 || token >= size {
      throw .tokenOutside(source: task, prompt: index, token: token, vocabulary: size)
    }
  }

  func checkPairs(of prompts: [Prompt]) throws(TaskError) {
    var seen: Set<[Int]> = []
    for (index, prompt) in prompts.enumerated() {
      guard let pair = prompt.pair else { continue }
      guard seen.insert([pair, prompt.isPositive ? 1 : 0]).inserted else {
        let kind = prompt.isPositive ? "positive" : "negative"
        let problem = "pair \(pair) already has a \(kind) prompt"
        throw .badPrompt(source: task, prompt: index, problem: problem)
      }
    }
  }
}
