import Files
import Tokenizers

extension TokenizerError: ExplainedError {
  var sentence: String {
    switch self {
    case .file(let error): error.sentence
    case .invalid(let path, let problem): "\(path) cannot be used as a tokenizer: \(problem.sentence)"
    }
  }
}

extension TokenizerProblem: ExplainedError {
  var sentence: String {
    switch self {
    case .notJSON(let error): "it is not JSON; line \(error.line), column \(error.column): \(error.problem)"
    case .missing(let field): "'\(field)' is missing"
    case .wrongValue(let field, let expected): "'\(field)' should be \(expected)"
    case .unsupported(let field, let value): "'\(field)' is \(value), which is not supported"
    case .unknownToken(let field, let token): "'\(field)' names '\(token)', which is not in the vocabulary"
    case .conflict(let field, let token): "'\(field)' gives '\(token)' an id that does not fit the others"
    case .pattern(let field, let pattern, let offset, let problem):
      "'\(field)' is the pattern \(pattern), which cannot be used: \(problem), at character \(offset)"
    }
  }
}
