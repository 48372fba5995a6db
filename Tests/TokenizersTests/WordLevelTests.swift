// Word-level tokenizers made in memory, written, and read again.

import Files
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct WordLevelTests {
  static let words = ["<bos>", "<unk>", "When", "Mary", "and", "John", ",", "."]

  @Test func wordsAndSigns() throws {
    let tokenizer = try Tokenizer.wordLevel(
      vocabulary: Self.words, unknown: "<unk>", beginningOfText: "<bos>")
    let encoding = tokenizer.encode("When Mary and\n Bob, John.", addingSpecialTokens: true)
    #expect(encoding.ids == [2, 3, 4, 1, 6, 5, 7])
    #expect(encoding.offsets == [0..<4, 5..<9, 10..<13, 15..<18, 18..<19, 20..<24, 24..<25])
    #expect(tokenizer.vocabularySize == 8)
    #expect(tokenizer.beginningOfText == 0)
    #expect(tokenizer.singleToken(" Mary") == 3)
    #expect(tokenizer.singleToken(" Mary John") == nil)
    #expect(tokenizer.encodeWithBeginning("Mary").ids == [0, 3])
    #expect(tokenizer.encode("<bos>Mary", addingSpecialTokens: false).ids == [0, 3])
    #expect(tokenizer.decode([0, 2, 3], skippingSpecialTokens: true) == "When Mary")
    #expect(tokenizer.decode([0, 2, 3, 99], skippingSpecialTokens: false) == "<bos> When Mary")
  }

  @Test func writtenAndReadAgain() throws {
    try withTemporaryFolder { folder in
      let description = WordLevelDescription(words: Self.words, unknown: "<unk>", beginningOfText: "<bos>")
      try description.write(toFolder: folder)
      let tokenizer = try Tokenizer(contentsOf: folder)
      #expect(tokenizer.encodeWithBeginning("John and Eve").ids == [0, 5, 4, 1])
      #expect(Self.words.indices.map(tokenizer.token) == Self.words)
    }
  }
}
