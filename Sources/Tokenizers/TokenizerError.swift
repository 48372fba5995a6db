// What can be wrong with a tokenizer.json.

import Files

/// A failure to load a tokenizer, with the file it was read from.
public enum TokenizerError: Error, Equatable, Sendable {
  /// The file could not be read or written.
  case file(FileError)
  /// The file was read, but does not describe a tokenizer that can be used exactly as it says.
  case invalid(path: String, problem: TokenizerProblem)
}

/// What is wrong inside a tokenizer file; `field` is a path such as `model.vocab` or `decoder.decoders[1].type`.
public enum TokenizerProblem: Error, Equatable, Sendable {
  /// The bytes are not JSON.
  case notJSON(JSONSyntaxError)
  /// A field that must be there is absent.
  case missing(field: String)
  /// A field holds another kind of value than it should.
  case wrongValue(field: String, expected: String)
  /// A setting that would change the result and is not implemented.
  case unsupported(field: String, value: String)
  /// A token that is named in `field` is not in the vocabulary.
  case unknownToken(field: String, token: String)
  /// Two tokens claim one id, or one token two ids.
  case conflict(field: String, token: String)
  /// A regular expression that cannot be read, at the character `offset` of `pattern`.
  case pattern(field: String, pattern: String, offset: Int, problem: String)
}
