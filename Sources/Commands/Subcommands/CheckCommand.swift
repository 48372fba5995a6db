// headlamp check: how a model reads a file of prompts, before anything is run on it.

import CircuitDiscovery
import Files
import Tokenizers
import Transformers

/// Shows how prompts are tokenised, which pairs do not align, and what a task would lose.
enum CheckCommand: Subcommand {
  static let name = "check"
  static let summary = "show how a model reads a file of prompts, and what of it cannot be used"
  static let discussion = """
    Shows each prompt with its line, its number of tokens, the tokens themselves, and its right and wrong answers: those
    of several tokens are scored by the sum of their log-probabilities, and the first token in which they differ is named;
    then which pairs do not align, and how many prompts each way of replacing values can use.
    Files are JSON lines, a JSON list, or a table (CSV, TSV) with named columns: 'prompt' and 'label', or 'clean' and
    'corrupted', with answers as texts ('correct', 'incorrect') or token ids ('correct_idx', 'incorrect_idx'); the names
    of EAP-IG's and MIB's files are known. With --scores the model says how likely it finds each answer: the sum of the
    log-probabilities of its tokens. Exits with 1 where a prompt cannot be used.
    """
  static let positionals = [Positional("PROMPTS", help: "a file of prompts; - for standard input")]
  static let brief = Flag("brief", help: "leave out the prompts that can be used")
  static let scores = Flag("scores", help: "run the model and show the log-probability of each answer")
  static let options: [any OptionDeclaration] = [PromptOptions.model, PromptOptions.bos, brief, scores]
  static let examples = [
    Example("headlamp check prompts.csv --model gpt2", "every prompt's tokens, and pairs that do not align"),
    Example("headlamp check prompts.jsonl --model gpt2 --brief", "only what would have to be mended"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = try arguments[PromptOptions.model] ?? PromptOptions.bundledModel(in: .bundled())
    let limits = try PromptLimits(modelFolder: folder)
    let file = try PromptFile(path: arguments.positionals[0])
    let check = try PromptCheck(file, limits: limits, beginning: arguments[PromptOptions.bos] ?? .auto)
    let model = arguments[scores] ? try Transformer(folder: folder) : nil
    let spelling = TokenSpelling(folder: folder)
    console.print("\(file.path): \(file.form.rawValue), \(check.rows.count) prompts")
    if !file.ignored.isEmpty {
      console.print("not read: " + file.ignored.map { "'\($0)'" }.joined(separator: ", "))
    }
    for (index, row) in check.rows.enumerated() where row.problem != nil || !arguments[brief] {
      console.print(line(index, row, spelling))
      if let problem = row.problem { console.print("  cannot be used: " + problem.sentence) }
      if let model { for line in try scoreLines(row, model, spelling) { console.print("  " + line) } }
    }
    for line in summary(check, file, spelling) { console.print(line) }
    guard check.unusable.isEmpty else {
      throw UnusablePrompts(path: file.path, count: check.unusable.count, total: check.rows.count)
    }
  }

  private static func line(_ index: Int, _ row: PromptCheck.Row, _ spelling: TokenSpelling) -> String {
    var text = "prompt \(index), line \(row.place), \(row.prompt.isPositive ? "positive" : "negative")"
    if let pair = row.prompt.pair { text += ", pair \(pair)" }
    guard let tokenized = row.tokenized else { return text }
    text += ", \(tokenized.tokens.count) tokens: " + spelling.joined(tokenized.tokens)
    if !tokenized.answers.isEmpty { text += "  right: " + spelling.list(tokenized.answerTokens) }
    if !tokenized.wrong.isEmpty { text += "  wrong: " + spelling.list(tokenized.wrongTokens) }
    if let answers = row.answers, answers.areLong {
      let all = (answers.right + answers.wrong).map { spelling.joined($0) }.joined(separator: ", ")
      text += "  (the first to differ, token \(answers.shared.count) of \(all), counted from 0)"
    }
    return text
  }

  private static func scoreLines(
    _ row: PromptCheck.Row, _ model: Transformer, _ spelling: TokenSpelling
  ) throws -> [String] {
    guard let tokenized = row.tokenized else { return [] }
    let all = tokenized.answers.map { ("right", $0) } + tokenized.wrong.map { ("wrong", $0) }
    guard !all.isEmpty else { return [] }
    // Each answer is asked for alone: its loss is its log-probability with the other sign.
    let questions = all.map { answer in
      Question(position: tokenized.answerPosition, right: [answer.1], wrong: [], lead: tokenized.lead)
    }
    let batch = TokenBatch(all.map { _ in tokenized.tokens }, continuedBy: questions.map(\.continuations))
    let losses = try model.values(of: AnswerLoss(questions), batch)
    return zip(all, losses).map { answer, loss in
      "\(answer.0) \(spelling.joined(tokenized.lead + answer.1)): log-probability \((-loss).text(decimals: 3))"
    }
  }

  private static func summary(
    _ check: PromptCheck, _ file: PromptFile, _ spelling: TokenSpelling
  ) -> [String] {
    var lines = [
      "\(check.positives) positives and \(check.negatives) negatives can be used, "
        + "\(check.unusable.count) cannot"
    ]
    lines.append("\(check.pairs) pairs, of which \(check.pairs - check.misaligned.count) align")
    for pair in check.misaligned {
      let (one, other) = (check.rows[pair.positive], check.rows[pair.negative])
      let (left, right) = (one.tokenized?.tokens ?? [], other.tokenized?.tokens ?? [])
      func token(_ tokens: [Int]) -> String {
        tokens.indices.contains(pair.firstDifference)
          ? spelling.joined([tokens[pair.firstDifference]]) : "the end"
      }
      lines.append(
        "  pair \(pair.pair): prompts \(pair.positive) and \(pair.negative) (lines \(one.place) and \(other.place)) have "
          + "\(left.count) and \(right.count) tokens; they first differ at token \(pair.firstDifference), "
          + "\(token(left)) and \(token(right))")
    }
    let aligned = check.pairs - check.misaligned.count
    lines.append(
      "--replace pair can use \(aligned) of \(check.positives) positives; mean and resample, which need negatives of the "
        + "same number of tokens, \(check.withDonor); zero all of them")
    if check.withoutQuestion > 0 {
      lines.append(
        "\(check.withoutQuestion) positives lack a right or a wrong answer, so have no logit difference")
    }
    return lines
  }
}

/// Some prompts of a file that no command could use.
struct UnusablePrompts: ExplainedError {
  var path: String
  var count: Int
  var total: Int
  var sentence: String { "\(count) of \(total) prompts of \(path) cannot be used" }
}

/// Tokens as they stand in a text, blanks included.
struct TokenSpelling {
  private let tokenizer: Tokenizer?

  /// The tokens of the model in a folder.
  init(folder: String) { tokenizer = try? Tokenizer(contentsOf: folder) }

  private func text(_ token: Int) -> String {
    guard let tokenizer, let piece = tokenizer.token(of: token) else { return "\(token)" }
    // A word-level vocabulary has no blanks of its own; a byte-level piece is decoded to show them.
    let decoded = tokenizer.decode([token], skippingSpecialTokens: false)
    return decoded.isEmpty || decoded.contains("\u{fffd}") ? piece : decoded
  }

  /// Tokens with bars between.
  func joined(_ tokens: [Int]) -> String {
    oneLine(tokens.map(text).joined(separator: "|"))
  }

  /// Tokens in quotes, with commas between.
  func list(_ tokens: [Int]) -> String {
    oneLine(tokens.map { "'" + text($0) + "'" }.joined(separator: ", "))
  }

  private func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value < 32 }) else { return text }
    return String(JSONValue.string(text).line.dropFirst().dropLast())
  }
}
