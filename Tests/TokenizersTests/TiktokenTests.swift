// Files of tiktoken's kind, against tiktoken itself; Golden/make_tiktoken.py writes them.

import Foundation
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct TiktokenTests {
  private struct Golden: Decodable {
    var texts: [String]
    var ids: [[Int]]
  }
  private let path = GoldenFile.url("cl100k_base.tiktoken").path

  @Test func idsEqualTiktokens() throws {
    let tokenizer = try Tokenizer(contentsOf: path)
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: GoldenFile.url("tiktoken-ids.json")))
    #expect(golden.texts.count > 600)
    let wrong = zip(golden.texts, golden.ids).filter { text, ids in
      tokenizer.encode(text, addingSpecialTokens: false).ids != ids
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(3))")
    for (text, ids) in zip(golden.texts, golden.ids) {
      #expect(
        tokenizer.decode(ids, skippingSpecialTokens: false).unicodeScalars.elementsEqual(text.unicodeScalars))
    }
    #expect(tokenizer.beginningOfText == 100257)
  }

  @Test func aFolderWithSuchAFileAloneHasATokenizer() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(atPath: path, toPath: folder + "/cl100k_base.tiktoken")
      #expect(Tokenizer.isPresent(inFolder: folder))
      #expect(try Tokenizer(contentsOf: folder).vocabularySize == 100277)
    }
  }

  @Test func otherNamesAndDamagedLinesAreRefused() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.copyItem(atPath: path, toPath: folder + "/mine.tiktoken")
      let unknown = #expect(throws: TokenizerError.self) {
        try Tokenizer(contentsOf: folder + "/mine.tiktoken")
      }
      #expect("\(unknown as Any)".contains("cl100k_base"))
      try "AA== 0\n???? 1\n".write(toFile: folder + "/r50k_base.tiktoken", atomically: true, encoding: .utf8)
      let damaged = #expect(throws: TokenizerError.self) {
        try Tokenizer(contentsOf: folder + "/r50k_base.tiktoken")
      }
      #expect("\(damaged as Any)".contains("line 2"))
    }
  }
}
