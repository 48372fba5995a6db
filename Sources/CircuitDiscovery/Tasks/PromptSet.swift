// Prompts as a model sees them: token ids, with answers, pairs and positions resolved.

import Transformers

/// A prompt in tokens.
public struct TokenizedPrompt: Equatable, Sendable {
  /// Token ids, the beginning-of-sequence token included where it is on.
  public var tokens: [Int]
  /// Whether the behaviour is called for.
  public var isPositive: Bool
  /// The right answers after the position `answer`, token by token; several where several are right.
  public var answers: [[Int]]
  /// The answers that `answers` are compared with.
  public var wrong: [[Int]]
  /// What all answers begin with, up to the position `answer`: `tokens` has it already.
  public var lead: [Int]
  /// A number that a positive prompt and its negative share.
  public var pair: Int?
  /// Token indices by name, counting the beginning-of-sequence token. `last` and `answer` are always there;
  /// `answer`, where the answer is predicted, is the last token unless the prompt says otherwise.
  public var positions: [String: Int]
  /// The text, where the prompt was one.
  public var text: String?

  /// A prompt in tokens.
  public init(
    tokens: [Int], isPositive: Bool, answers: [[Int]] = [], wrong: [[Int]] = [], lead: [Int] = [],
    pair: Int? = nil, positions: [String: Int] = [:], text: String? = nil
  ) {
    self.tokens = tokens
    self.isPositive = isPositive
    self.answers = answers
    self.wrong = wrong
    self.lead = lead
    self.pair = pair
    self.positions = positions
    self.text = text
  }

  /// The next tokens that begin a right answer, without repeats.
  public var answerTokens: [Int] { Self.firstTokens(answers) }

  /// The next tokens that begin a wrong answer.
  public var wrongTokens: [Int] { Self.firstTokens(wrong) }

  private static func firstTokens(_ answers: [[Int]]) -> [Int] {
    var seen: Set<Int> = []
    return answers.compactMap(\.first).filter { seen.insert($0).inserted }
  }

  /// What it asks.
  public var question: Question {
    Question(position: answerPosition, right: answers, wrong: wrong, lead: lead)
  }

  /// 1 for a positive, 0 for a negative prompt.
  public var label: Int { isPositive ? 1 : 0 }

  /// The index of the token after which the answer is predicted.
  public var answerPosition: Int { positions["answer"] ?? tokens.count - 1 }
}

/// Prompts of one task in tokens, ready to be run.
public struct PromptSet: Equatable, Sendable {
  /// The task's name, or the path of the file the prompts came from.
  public var task: String
  /// The seed the prompts were made from.
  public var seed: UInt64
  /// The beginning-of-sequence token every prompt starts with; nil where there is none.
  public var beginningToken: Int?
  /// How right and wrong answers are compared.
  public var metric: AnswerMetric
  /// The prompts.
  public var prompts: [TokenizedPrompt]

  /// A set of prompts.
  public init(
    task: String, seed: UInt64, beginningToken: Int? = nil, metric: AnswerMetric = .logitDifference,
    prompts: [TokenizedPrompt]
  ) {
    self.task = task
    self.seed = seed
    self.beginningToken = beginningToken
    self.metric = metric
    self.prompts = prompts
  }

  /// The indices of each positive and its negative, in the order of the positives.
  public var pairs: [(positive: Int, negative: Int)] {
    var negatives: [Int: Int] = [:]
    for (index, prompt) in prompts.enumerated() where !prompt.isPositive {
      if let pair = prompt.pair { negatives[pair] = index }
    }
    return prompts.indices.compactMap { index in
      guard prompts[index].isPositive, let pair = prompts[index].pair, let negative = negatives[pair]
      else { return nil }
      return (index, negative)
    }
  }

  /// The set without the pairs whose positive is in another; the whole set where that leaves fewer than 20 positives.
  public func leavingOut(_ other: PromptSet) -> PromptSet {
    let known = Set(other.prompts.map(\.tokens))
    let gone = prompts.filter { $0.isPositive && known.contains($0.tokens) }
    let pairs = Set(gone.compactMap(\.pair))
    var rest = self
    rest.prompts = prompts.filter { prompt in
      prompt.pair.map { !pairs.contains($0) } ?? !(prompt.isPositive && known.contains(prompt.tokens))
    }
    return rest.prompts.count { $0.isPositive } < 20 ? self : rest
  }

  /// The longest prompt, in tokens.
  public var longest: Int { prompts.map(\.tokens.count).max() ?? 0 }
}

/// How a model's right answers are compared with the wrong ones.
public enum AnswerMetric: String, CaseIterable, Sendable {
  /// Log-probability of the answer minus the mean of the wrong answers': of logits, where answers are one token.
  case logitDifference = "logit_difference"
  /// Probability of all right answers minus that of all wrong ones (Hanna et al. 2023, section 2).
  case probabilityDifference = "probability_difference"
}

/// Whether prompts start with the beginning-of-sequence token.
public enum BeginningOfSequence: String, CaseIterable, Sendable {
  /// Always.
  case on
  /// Never.
  case off
  /// For texts, where the model has such a token; never for prompts given as token ids.
  case auto
}
