// Right answers against wrong ones: by log-probabilities, by probabilities, or by the right ones' loss.

import Tensors

/// Mean log-probability of the right answers less that of the wrong ones.
///
/// An answer's log-probability is the sum over its tokens. Where all answers are one token, softmax's denominator is the
/// same for all and cancels: this is the difference of mean logits.
public struct LogitDifference: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question] { didSet { answers = Self.answers(questions) } }
  private var answers: [ScoredAnswers]

  /// The metric of these questions.
  public init(_ questions: [Question]) {
    self.questions = questions
    answers = Self.answers(questions)
  }

  private static func answers(_ questions: [Question]) -> [ScoredAnswers] {
    // What all answers begin with cancels, where there are answers of both kinds.
    questions.map { ScoredAnswers($0, usesLead: $0.right.isEmpty != $0.wrong.isEmpty) }
  }

  /// The positions that the prompt's answers follow, token by token.
  public func positions(ofPrompt prompt: Int) -> [Int] { answers[prompt].positions }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> LogitDifference {
    LogitDifference(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let found = answers[prompt]
    let width = logits.count / found.positions.count
    var value = 0.0
    gradient.withMutableValues { slopes in
      logits.withValues { logits in
        for (answers, sign) in [(found.right, 1.0), (found.wrong, -1.0)] where !answers.isEmpty {
          let share = sign / Double(answers.count)
          for place in answers.joined() {
            value += share * Double(logits[place.position * width + place.token])
            slopes[place.position * width + place.token] += Float(share)
          }
        }
      }
    }
    guard found.positions.count > 1 else { return value }
    // How many right answers less how many wrong ones pass each position: softmax's denominator counts so often there.
    for row in found.positions.indices {
      let (right, wrong) = (
        found.right.count { $0.contains { $0.position == row } },
        found.wrong.count { $0.contains { $0.position == row } }
      )
      // In whole numbers, so that what cancels does so exactly.
      let (rights, wrongs) = (max(1, found.right.count), max(1, found.wrong.count))
      guard right * wrongs != wrong * rights else { continue }
      let weight = Double(right) / Double(rights) - Double(wrong) / Double(wrongs)
      let logProbabilities = logSoftmax(logits.rows(row..<row + 1))
      value += weight * (logProbabilities[0] - Double(logits.values[row * width]))
      gradient.withMutableValues { slopes in
        for token in 0..<width {
          slopes[row * width + token] -= Float(weight * exponential(logProbabilities[token]))
        }
      }
    }
    return value
  }
}

/// Probability of the right answers together less that of the wrong ones; an answer's is the product over its tokens.
public struct ProbabilityDifference: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question] {
    didSet { answers = questions.map { ScoredAnswers($0, usesLead: true) } }
  }
  private var answers: [ScoredAnswers]

  /// The metric of these questions.
  public init(_ questions: [Question]) {
    self.questions = questions
    answers = questions.map { ScoredAnswers($0, usesLead: true) }
  }

  /// The positions that the prompt's answers follow, token by token.
  public func positions(ofPrompt prompt: Int) -> [Int] { answers[prompt].positions }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> ProbabilityDifference {
    ProbabilityDifference(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let found = answers[prompt]
    let rows = found.positions.indices.map { logSoftmax(logits.rows($0..<$0 + 1)) }
    var value = 0.0
    // ∂p/∂logit of an answer's probability p, at each of its positions: p · (1 at its token − softmax).
    var weights = rows.map { _ in 0.0 }
    gradient.withMutableValues { slopes in
      for (answers, sign) in [(found.right, 1.0), (found.wrong, -1.0)] {
        for answer in answers {
          let probability = sign * exponential(answer.reduce(0) { $0 + rows[$1.position][$1.token] })
          value += probability
          for place in answer {
            weights[place.position] += probability
            slopes[place.position * rows[0].count + place.token] += Float(probability)
          }
        }
      }
      for (row, logProbabilities) in rows.enumerated() {
        for token in logProbabilities.indices {
          slopes[row * logProbabilities.count + token] -= Float(
            weights[row] * exponential(logProbabilities[token]))
        }
      }
    }
    return value
  }
}

/// The cross-entropy of the right answers, in nats: less their log-probabilities; where there are several, each is wanted with
/// the same probability.
public struct AnswerLoss: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question] {
    didSet { answers = questions.map { ScoredAnswers($0, usesLead: true) } }
  }
  private var answers: [ScoredAnswers]

  /// The metric of these questions.
  public init(_ questions: [Question]) {
    self.questions = questions
    answers = questions.map { ScoredAnswers($0, usesLead: true) }
  }

  /// The positions that the prompt's answers follow, token by token.
  public func positions(ofPrompt prompt: Int) -> [Int] { answers[prompt].positions }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> AnswerLoss {
    AnswerLoss(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let found = answers[prompt]
    let share = 1 / Double(max(1, found.right.count))
    var value = 0.0
    for row in found.positions.indices {
      let logProbabilities = logSoftmax(logits.rows(row..<row + 1))
      let places = found.right.joined().filter { $0.position == row }
      let weight = share * Double(places.count)
      value -= places.reduce(0) { $0 + share * logProbabilities[$1.token] }
      gradient.withMutableValues { slopes in
        let start = row * logProbabilities.count
        for token in logProbabilities.indices {
          slopes[start + token] = Float(weight * exponential(logProbabilities[token]))
        }
        for place in places { slopes[start + place.token] -= Float(share) }
      }
    }
    return value
  }
}

/// Whether the model's most likely tokens are a right answer, one after the other: 1 or 0. It has no gradient.
public struct AnswerAccuracy: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question] {
    didSet { answers = questions.map { ScoredAnswers($0, usesLead: true) } }
  }
  private var answers: [ScoredAnswers]

  /// The metric of these questions.
  public init(_ questions: [Question]) {
    self.questions = questions
    answers = questions.map { ScoredAnswers($0, usesLead: true) }
  }

  /// The positions that the prompt's answers follow, token by token.
  public func positions(ofPrompt prompt: Int) -> [Int] { answers[prompt].positions }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> AnswerAccuracy {
    AnswerAccuracy(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let found = answers[prompt]
    let width = logits.count / found.positions.count
    let best = logits.withValues { logits in
      found.positions.indices.map { row in
        (0..<width).reduce(0) { logits[row * width + $1] > logits[row * width + $0] ? $1 : $0 }
      }
    }
    return found.right.contains { $0.allSatisfy { best[$0.position] == $0.token } } ? 1 : 0
  }
}
