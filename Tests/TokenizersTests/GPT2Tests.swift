// The real GPT-2 vocabulary, read in place.

import TestSupport
import Testing

@testable import Tokenizers

@Suite(.enabled(if: SharedReference.isPresent)) struct GPT2Tests {
  static let tokenizer = try? Tokenizer(contentsOf: SharedReference.path("models/gpt2-tokenizer"))

  @Test func knownText() throws {
    let tokenizer = try #require(Self.tokenizer)
    // Ids as published with the model's examples.
    #expect(
      tokenizer.encode("Hello, my dog is cute", addingSpecialTokens: true).ids
        == [15496, 11, 616, 3290, 318, 13779])
    #expect(tokenizer.vocabularySize == 50257)
    #expect(tokenizer.beginningOfText == 50256)
    #expect(tokenizer.singleToken(" Mary") == 5335)
    #expect(tokenizer.decode([15496, 11, 616, 3290], skippingSpecialTokens: false) == "Hello, my dog")
  }
}
