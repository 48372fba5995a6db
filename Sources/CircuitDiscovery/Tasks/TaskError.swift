// What can be wrong with a task: its spec, its prompts, its ground truths.

/// A failure in reading or using a task, with the place it happened at.
public enum TaskError: Error, Equatable, Sendable {
  /// No bundled task has this name, and no folder or file either.
  case unknownTask(String, known: [String])
  /// The file is not JSON.
  case notJSON(path: String, line: Int, column: Int, problem: String)
  /// A field of a spec cannot be used; `field` is its path: `templates[2].text`.
  case badField(path: String, field: String, problem: String)
  /// A line of a JSON-lines file cannot be used.
  case badLine(path: String, line: Int, problem: String)
  /// A task needs a tokenizer, and the model has none.
  case needsTokenizer(task: String)
  /// A task needs to know how many tokens the model has.
  case needsVocabulary(task: String)
  /// Too few words of a list are one token under this tokenizer.
  case tooFewWords(task: String, list: String, kept: Int, needed: Int, dropped: [String], tokenizer: String)
  /// A text that must be one token is not; `place` says where it stands.
  case notOneToken(text: String, tokens: Int, tokenizer: String, place: String)
  /// No choice of words satisfied the spec's constraints.
  case unsatisfiable(task: String, template: String, attempts: Int, reason: String)
  /// The set has no prompts.
  case noPrompts(source: String)
  /// The set has no positive prompts, so no behaviour to look for.
  case noPositives(source: String, prompts: Int)
  /// The set has no negative prompts, so nothing to compare with.
  case noNegatives(source: String, prompts: Int)
  /// A prompt is longer than the model's context.
  case promptTooLong(source: String, prompt: Int, tokens: Int, context: Int)
  /// A token id is not in the model's vocabulary.
  case tokenOutside(source: String, prompt: Int, token: Int, vocabulary: Int)
  /// A prompt of a set cannot be used; `prompt` counts from 0.
  case badPrompt(source: String, prompt: Int, problem: String)
  /// The beginning-of-sequence token was asked for, and the model has none.
  case noBeginningToken
  /// The task has no ground truth of this name.
  case unknownTruth(String, task: String, known: [String])
}
