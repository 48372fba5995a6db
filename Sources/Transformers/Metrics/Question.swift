// What a prompt asks, and where the logits stand by which its answers are scored.

/// What a prompt asks: where the answer comes, and which continuations are right and wrong.
///
/// An answer is worth the sum of the log-probabilities of its tokens, each behind those before it. An answer of several
/// tokens is put behind the prompt but for its last token, which nothing is read behind: those are the prompt's
/// `continuations`, side by side and unseen by each other (`TokenBatch.init(_:continuedBy:)`).
public struct Question: Sendable, Equatable {
  /// The position whose next token is the answers' first; the prompt's last where an answer has several tokens.
  public var position: Int
  /// Right answers, token by token; none is empty.
  public var right: [[Int]]
  /// Wrong answers.
  public var wrong: [[Int]]
  /// Tokens that all answers begin with and that the prompt ends with already, up to `position`.
  public var lead: [Int]

  /// A question.
  public init(position: Int, right: [[Int]], wrong: [[Int]], lead: [Int] = []) {
    precondition((right + wrong).allSatisfy { !$0.isEmpty }, "an answer without tokens")
    self.position = position
    self.right = right
    self.wrong = wrong
    self.lead = lead
  }

  /// A question whose answers are one token each.
  public init(position: Int, right: [Int], wrong: [Int]) {
    self.init(position: position, right: right.map { [$0] }, wrong: wrong.map { [$0] })
  }

  /// What stands behind the prompt, so that every token of every answer but the last is read: each answer without its
  /// last token, less those that another begins with.
  public var continuations: [[Int]] {
    var found: [[Int]] = []
    for answer in right + wrong where answer.count > 1 {
      let part = Array(answer.dropLast())
      guard !found.contains(where: { $0.starts(with: part) }) else { continue }
      found.removeAll { part.starts(with: $0) }
      found.append(part)
    }
    return found
  }

  /// Each token of an answer, with the position whose logits tell how likely it is.
  func places(of answer: [Int], _ continuations: [[Int]]) -> [AnswerPlace] {
    var places = lead.enumerated().map { AnswerPlace(position: position - lead.count + $0, token: $1) }
    places.append(AnswerPlace(position: position, token: answer[0]))
    guard answer.count > 1 else { return places }
    var start = position + 1
    for part in continuations {
      if part.starts(with: answer.dropLast()) { break }
      start += part.count
    }
    return places
      + answer.dropFirst().enumerated().map { AnswerPlace(position: start + $0, token: $1) }
  }
}

/// A token of an answer, and where the model says how likely it is.
struct AnswerPlace: Sendable, Equatable {
  /// The position whose next token it is.
  var position: Int
  /// The token.
  var token: Int
}

/// A question's answers, token by token, with a weight each: what a metric is a sum over.
struct ScoredAnswers: Sendable, Equatable {
  /// The positions whose logits are read, ascending.
  let positions: [Int]
  /// For each right answer its tokens; `position` counts `positions`.
  let right: [[AnswerPlace]]
  /// For each wrong answer its tokens.
  let wrong: [[AnswerPlace]]

  /// - Parameter usesLead: whether tokens that all answers share count.
  init(_ question: Question, usesLead: Bool) {
    var question = question
    if !usesLead { question.lead = [] }
    let continuations = question.continuations
    var (right, wrong) = (
      question.right.map { question.places(of: $0, continuations) },
      question.wrong.map { question.places(of: $0, continuations) }
    )
    let positions = Set([question.position] + (right + wrong).flatMap { $0.map(\.position) }).sorted()
    let rows = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
    func numbered(_ answers: inout [[AnswerPlace]]) {
      for answer in answers.indices {
        for place in answers[answer].indices {
          answers[answer][place].position = rows[answers[answer][place].position] ?? 0
        }
      }
    }
    numbered(&right)
    numbered(&wrong)
    (self.positions, self.right, self.wrong) = (positions, right, wrong)
  }
}
