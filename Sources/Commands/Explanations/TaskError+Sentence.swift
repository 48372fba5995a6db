import CircuitDiscovery
import Files

extension TaskError: ExplainedError {
  var sentence: String {
    switch self {
    case .unknownTask(let name, let known):
      "there is no task '\(name)', nor a folder or file of that name; "
        + (nearestWord(to: name, among: known).map { "did you mean '\($0)'?" }
          ?? "'headlamp tasks' lists the tasks")
    case .notJSON(let path, let line, let column, let problem):
      "\(path), line \(line), column \(column): \(problem)"
    case .badField(let path, let field, let problem):
      "\(path): \(field.isEmpty ? "" : field + ": ")\(problem)"
    case .badLine(let path, let line, let problem): "\(path), line \(line): \(problem)"
    case .needsTokenizer(let task):
      "\(task) has texts, and the model has no tokenizer.json; give it one, or give prompts as token ids"
    case .needsVocabulary(let task):
      "\(task) draws random tokens, and the size of the vocabulary is not known"
    case .tooFewWords(let task, let list, let kept, let needed, let dropped, let tokenizer):
      "list '\(list)' of \(task) keeps \(kept) words that are one token under \(tokenizer), and \(needed) are needed"
        + (dropped.isEmpty ? "" : "; not one token: \(shortList(dropped))")
    case .notOneToken(let text, let tokens, let tokenizer, let place):
      "'\(text)' (\(place)) must be one token under \(tokenizer), and "
        + (tokens == 0 ? "is not in its vocabulary" : "it is \(tokens)")
    case .unsatisfiable(let task, let template, let attempts, let reason):
      "no prompt of \(task) was found in \(attempts) attempts for '\(template)': \(reason)"
    case .noPrompts(let source): "\(source) has no prompts"
    case .noPositives(let source, let prompts):
      "all \(prompts) prompts of \(source) are negative; label 1 marks those that call for the behaviour"
    case .noNegatives(let source, let prompts):
      "all \(prompts) prompts of \(source) are positive; negatives (label 0) are needed to compare with"
    case .promptTooLong(let source, let prompt, let tokens, let context):
      "prompt \(prompt) of \(source) has \(tokens) tokens, and the model reads \(context) at most"
    case .tokenOutside(let source, let prompt, let token, let vocabulary):
      "prompt \(prompt) of \(source) has token \(token), and the model's vocabulary has \(vocabulary)"
    case .badPrompt(let source, let prompt, let problem): "prompt \(prompt) of \(source): \(problem)"
    case .noBeginningToken: "--bos on needs a beginning-of-sequence token, and the model has none"
    case .unknownTruth(let name, let task, let known):
      "\(task) has no ground truth '\(name)'; "
        + (nearestWord(to: name, among: known).map { "did you mean '\($0)'?" }
          ?? (known.isEmpty ? "it has none at all" : "there are \(known.joined(separator: ", "))"))
    }
  }

  /// A name that does not exist, or a token that was asked for, is misuse.
  var exitCode: Int32 {
    switch self {
    case .unknownTask, .unknownTruth, .noBeginningToken: 2
    default: 1
    }
  }

  private func shortList(_ words: [String]) -> String {
    words.prefix(5).joined(separator: ", ") + (words.count > 5 ? " and \(words.count - 5) more" : "")
  }
}
