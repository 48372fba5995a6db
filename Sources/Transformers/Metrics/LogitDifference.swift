// Right answers against wrong ones: by logits, by probabilities, or by the right ones' loss.

import Tensors

/// Mean logit of the right answers less that of the wrong ones.
public struct LogitDifference: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question]

  /// The metric of these questions.
  public init(_ questions: [Question]) { self.questions = questions }

  /// The position that the prompt's answer follows.
  public func positions(ofPrompt prompt: Int) -> [Int] { [questions[prompt].position] }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> LogitDifference {
    LogitDifference(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let question = questions[prompt]
    var value = 0.0
    gradient.withMutableValues { slopes in
      logits.withValues { logits in
        for (tokens, sign) in [(question.right, 1.0), (question.wrong, -1.0)] where !tokens.isEmpty {
          let share = sign / Double(tokens.count)
          for token in tokens {
            value += share * Double(logits[token])
            slopes[token] += Float(share)
          }
        }
      }
    }
    return value
  }
}

/// Probability of the right answers together less that of the wrong ones.
public struct ProbabilityDifference: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question]

  /// The metric of these questions.
  public init(_ questions: [Question]) { self.questions = questions }

  /// The position that the prompt's answer follows.
  public func positions(ofPrompt prompt: Int) -> [Int] { [questions[prompt].position] }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> ProbabilityDifference {
    ProbabilityDifference(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let question = questions[prompt]
    let probabilities = softmax(logits)
    var weights = [Double](repeating: 0, count: probabilities.count)
    for token in question.right { weights[token] += 1 }
    for token in question.wrong { weights[token] -= 1 }
    let value = zip(weights, probabilities).reduce(0) { $0 + $1.0 * $1.1 }
    gradient.withMutableValues { slopes in
      for token in probabilities.indices {
        slopes[token] = Float(probabilities[token] * (weights[token] - value))
      }
    }
    return value
  }
}

/// The cross-entropy of the right answers, in nats; where there are several, each is wanted with the same probability.
public struct AnswerLoss: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question]

  /// The metric of these questions.
  public init(_ questions: [Question]) { self.questions = questions }

  /// The position that the prompt's answer follows.
  public func positions(ofPrompt prompt: Int) -> [Int] { [questions[prompt].position] }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> AnswerLoss { AnswerLoss(prompts.map { questions[$0] }) }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let right = questions[prompt].right
    let logProbabilities = logSoftmax(logits)
    let share = 1 / Double(max(1, right.count))
    gradient.withMutableValues { slopes in
      for token in logProbabilities.indices { slopes[token] = Float(exponential(logProbabilities[token])) }
      for token in right { slopes[token] -= Float(share) }
    }
    return -right.reduce(0) { $0 + share * logProbabilities[$1] }
  }
}

/// Whether the most likely next token is a right answer: 1 or 0. It has no gradient.
public struct AnswerAccuracy: LogitMetric, Equatable {
  /// One question a prompt.
  public var questions: [Question]

  /// The metric of these questions.
  public init(_ questions: [Question]) { self.questions = questions }

  /// The position that the prompt's answer follows.
  public func positions(ofPrompt prompt: Int) -> [Int] { [questions[prompt].position] }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> AnswerAccuracy {
    AnswerAccuracy(prompts.map { questions[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let best = logits.withValues { logits in
      logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    }
    return questions[prompt].right.contains(best) ? 1 : 0
  }
}
