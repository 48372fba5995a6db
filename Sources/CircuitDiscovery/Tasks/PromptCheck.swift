// What a model's tokenizer makes of a file of prompts, prompt by prompt, and what of it cannot be used.

import Files

/// A file of prompts as a model would read it.
public struct PromptCheck: Sendable {
  /// One prompt.
  public struct Row: Sendable {
    /// The prompt as it stands in the file.
    public var prompt: Prompt
    /// Its line, or its place in a list.
    public var place: Int
    /// The prompt in tokens; nil where it cannot be used.
    public var tokenized: TokenizedPrompt?
    /// Its answers, token by token.
    public var answers: AnswerSequences?
    /// Why it cannot be used.
    public var problem: TaskError?
  }

  /// A positive and its negative that do not go together position by position.
  public struct Misalignment: Sendable {
    /// The number that both have.
    public var pair: Int
    /// The positive's place among the prompts.
    public var positive: Int
    /// The negative's.
    public var negative: Int
    /// The first position at which their tokens differ.
    public var firstDifference: Int
  }

  /// The prompts in order.
  public let rows: [Row]
  /// The number of pairs of usable prompts.
  public let pairs: Int
  /// Pairs of different lengths.
  public let misaligned: [Misalignment]
  /// Indices of positives without a negative of their own.
  public let unpaired: [Int]

  /// Reads every prompt of a file, and goes on past those that cannot be used.
  /// - Throws: `TaskError.noBeginningToken` where one is asked for and there is none.
  public init(_ file: PromptFile, limits: PromptLimits, beginning: BeginningOfSequence) throws(TaskError) {
    let reader = try PromptReader(file.prompts, task: file.path, limits: limits, beginning: beginning)
    var seen: Set<[Int]> = []
    var rows: [Row] = []
    for (index, prompt) in file.prompts.enumerated() {
      var row = Row(prompt: prompt, place: file.places[index])
      row.answers = AnswerSequences(checking: prompt, limits)
      do {
        row.tokenized = try reader.tokenized(prompt, index)
        try reader.checkPair(of: prompt, index, among: &seen)
      } catch {
        row.problem = error
      }
      rows.append(row)
    }
    self.rows = rows
    var negatives: [Int: Int] = [:]
    for (index, row) in rows.enumerated() where !row.prompt.isPositive && row.problem == nil {
      if let pair = row.prompt.pair { negatives[pair] = index }
    }
    var (pairs, misaligned, unpaired): (Int, [Misalignment], [Int]) = (0, [], [])
    for (index, row) in rows.enumerated() where row.prompt.isPositive && row.problem == nil {
      guard let pair = row.prompt.pair, let negative = negatives[pair],
        let one = row.tokenized?.tokens, let other = rows[negative].tokenized?.tokens
      else {
        unpaired.append(index)
        continue
      }
      pairs += 1
      guard one.count != other.count else { continue }
      let shared = zip(one, other).prefix { $0 == $1 }.count
      misaligned.append(
        Misalignment(pair: pair, positive: index, negative: negative, firstDifference: shared))
    }
    (self.pairs, self.misaligned, self.unpaired) = (pairs, misaligned, unpaired)
  }

  /// The indices of prompts that cannot be used.
  public var unusable: [Int] { rows.indices.filter { rows[$0].problem != nil } }

  /// The number of usable positives.
  public var positives: Int { rows.count { $0.prompt.isPositive && $0.problem == nil } }

  /// The number of usable negatives.
  public var negatives: Int { rows.count { !$0.prompt.isPositive && $0.problem == nil } }

  /// The number of usable positives of whose length there is a usable negative, whose values can stand in for theirs.
  public var withDonor: Int {
    let usable = rows.filter { $0.problem == nil }
    let lengths = Set(usable.filter { !$0.prompt.isPositive }.compactMap { $0.tokenized?.tokens.count })
    return usable.count { row in
      row.prompt.isPositive && row.tokenized.map { lengths.contains($0.tokens.count) } == true
    }
  }

  /// Usable positives without a right or without a wrong answer: they have no logit difference.
  public var withoutQuestion: Int {
    rows.count { row in
      guard let prompt = row.tokenized, row.problem == nil, prompt.isPositive else { return false }
      return prompt.answers.isEmpty || prompt.wrong.isEmpty
    }
  }
}
