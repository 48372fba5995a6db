// What the fields of a prompt are called in files: in this project's own, and in those of others.

/// A field of a prompt, in whatever file it stands.
enum PromptField: CaseIterable {
  case prompt, tokens, label, answer, wrong, pair, positions
  case answerTokens, wrongTokens, corrupted, corruptedTokens, choices, answerKey

  /// Its names, the project's own first. Others are those of EAP-IG's and MIB's files.
  var names: [String] {
    switch self {
    case .prompt: ["prompt", "clean", "clean_prompt", "clean_input", "text", "sentence", "input"]
    case .tokens: ["tokens", "clean_tokens", "input_ids"]
    case .label: ["label"]
    case .answer: ["answer", "correct", "correct_answer", "clean_answer", "answers", "target"]
    case .wrong:
      ["wrong", "incorrect", "incorrect_answer", "wrong_answer", "corrupted_answer", "wrong_answers"]
    case .pair: ["pair"]
    case .positions: ["positions"]
    case .answerTokens:
      [
        "answer_idx", "correct_idx", "correct_id", "answers_idx", "clean_answer_idx", "country_idx",
        "answer_token", "correct_token",
      ]
    case .wrongTokens:
      [
        "wrong_idx", "incorrect_idx", "incorrect_id", "corrupted_answers_idx", "corrupted_answer_idx",
        "corrupted_country_idx", "wrong_token", "incorrect_token",
      ]
    case .corrupted:
      ["corrupted", "corrupted_prompt", "corrupted_input", "corrupt", "corrupt_prompt", "counterfactual"]
    case .corruptedTokens: ["corrupted_tokens", "corrupted_input_ids"]
    case .choices: ["choices"]
    case .answerKey: ["answerKey"]
    }
  }

  /// The fields of a file that this project writes, for messages.
  static let ownNames = ["prompt", "tokens", "label", "answer", "wrong", "pair", "positions"]

  /// Whether its cells in a table hold numbers, lists or objects rather than text.
  var isStructured: Bool {
    switch self {
    case .prompt, .answer, .wrong, .corrupted, .label: false
    default: true
    }
  }

  private static let byName: [String: PromptField] = Dictionary(
    uniqueKeysWithValues: allCases.flatMap { field in field.names.map { ($0, field) } })

  /// The field of a name; nil where it means nothing here.
  init?(named name: String) {
    guard let field = Self.byName[name] else { return nil }
    self = field
  }
}
