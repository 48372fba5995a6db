// Answers of one or several tokens, and where they begin to differ.

/// The right and the wrong answers to one prompt, as token sequences.
public struct AnswerSequences: Equatable, Sendable {
  /// Why an answer has no tokens.
  enum Failure: Error {
    case noTokenizer
    case notInVocabulary(text: String, what: String)
  }

  /// The right answers.
  public var right: [[Int]] = []
  /// The wrong answers.
  public var wrong: [[Int]] = []

  init(_ prompt: Prompt, tokenizer: (any PromptTokenizer)?) throws(Failure) {
    right = try Self.sequences(prompt.answers, "answer", tokenizer)
    wrong = try Self.sequences(prompt.wrong, "wrong answer", tokenizer)
  }

  /// The answers to a prompt under a model's tokenizer; nil where they have no tokens there.
  public init?(checking prompt: Prompt, _ limits: PromptLimits) {
    guard let answers = try? AnswerSequences(prompt, tokenizer: limits.tokenizer) else { return nil }
    self = answers
  }

  private static func sequences(
    _ answers: [Prompt.Continuation], _ what: String, _ tokenizer: (any PromptTokenizer)?
  ) throws(Failure) -> [[Int]] {
    var result: [[Int]] = []
    for answer in answers {
      switch answer {
      case .token(let token): result.append([token])
      case .tokens(let tokens): result.append(tokens)
      case .text(let text):
        guard let tokenizer else { throw .noTokenizer }
        let tokens = tokenizer.tokens(of: text)
        guard !tokens.isEmpty, !tokens.contains(where: { $0 == tokenizer.unknownToken }) else {
          throw .notInVocabulary(text: text, what: what)
        }
        result.append(tokens)
      }
    }
    return result
  }

  /// Whether any answer is more than one token.
  public var areLong: Bool { (right + wrong).contains { $0.count > 1 } }

  /// How many tokens all answers begin with alike, where there are right and wrong ones that differ somewhere.
  var sharedCount: Int? {
    guard let first = right.first, !wrong.isEmpty else { return nil }
    let all = right + wrong
    return first.indices.first { index in
      all.contains { !$0.indices.contains(index) || $0[index] != first[index] }
    } ?? first.count
  }

  /// What all answers begin with; nothing where there are right answers alone, or wrong ones.
  public var shared: [Int] { Array((right.first ?? []).prefix(sharedCount ?? 0)) }

  /// Each answer behind what all share, without repeats.
  func remaining(_ answers: [[Int]]) -> [[Int]] {
    var found: [[Int]] = []
    var seen: Set<[Int]> = []
    for answer in answers {
      let rest = Array(answer.dropFirst(sharedCount ?? 0))
      if seen.insert(rest).inserted { found.append(rest) }
    }
    return found
  }

  /// Why right answers cannot be told from wrong ones; nil where they can.
  var problem: String? {
    for one in right {
      for other in wrong {
        if one == other { return "a right answer is a wrong one too: both are the tokens \(one)" }
        if one.starts(with: other) || other.starts(with: one) {
          return
            "of its answers \(one) and \(other) (token ids) one is the other's beginning, which is always as likely"
        }
      }
    }
    return nil
  }
}
