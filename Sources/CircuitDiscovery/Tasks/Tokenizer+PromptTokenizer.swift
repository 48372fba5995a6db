// A model's tokenizer, as prompts see it.

import Tokenizers

extension Tokenizer: PromptTokenizer {
  /// How many tokens there are.
  public var label: String { "the tokenizer of \(vocabularySize) tokens" }

  /// The token ids of a text, without special tokens at its ends.
  public func tokens(of text: String) -> [Int] {
    encode(text, addingSpecialTokens: false).ids
  }
}
