// Every kind of tokenizer against the `tokenizers` package; goldens written by Golden/make_golden.py.

import Foundation
import TestSupport
import Testing

@testable import Tokenizers

@Suite struct PackageEqualityTests {
  static let kinds = [
    "gpt2-like", "gpt2-prefix-trim", "llama3-like", "qwen2-like", "neox-like", "split-kinds", "llama-like",
    "mistral-like", "metaspace-split", "gemma-like", "words", "words-blanks", "added-tokens",
    "unigram-t5-like", "unigram-bytes", "unigram-charsmap", "bert-uncased-like", "bert-cased-like",
    "roberta-like",
  ]

  @Test(arguments: kinds) func ids(kind: String) throws {
    let (golden, tokenizer) = try GoldenFile.read(kind)
    let strings = try GoldenFile.strings()
    #expect(strings.count == golden.ids.count)
    var wrong: [String] = []
    for (text, ids) in zip(strings, golden.ids) {
      let got = tokenizer.encode(text, addingSpecialTokens: true).ids
      if got != numbers(ids) { wrong.append("\(text.debugDescription): \(got), not \(numbers(ids))") }
    }
    for (text, ids) in zip(strings, golden.bare) {
      let got = tokenizer.encode(text, addingSpecialTokens: false).ids
      if got != numbers(ids) { wrong.append("bare \(text.debugDescription): \(got), not \(numbers(ids))") }
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5).joined(separator: "\n"))")
  }

  @Test(arguments: kinds) func offsets(kind: String) throws {
    let (golden, tokenizer) = try GoldenFile.read(kind)
    var wrong: [String] = []
    for (text, flat) in zip(try GoldenFile.strings().suffix(golden.offsets.count), golden.offsets) {
      let encoding = tokenizer.encode(text, addingSpecialTokens: true)
      let got = encoding.offsets.flatMap { [$0.lowerBound, $0.upperBound] }
      if got != numbers(flat) {
        wrong.append("\(text.debugDescription) \(encoding.tokens): \(got), not \(numbers(flat))")
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5).joined(separator: "\n"))")
  }

  @Test(arguments: kinds) func decoding(kind: String) throws {
    let (golden, tokenizer) = try GoldenFile.read(kind)
    var wrong: [String] = []
    for (ids, text) in zip(golden.ids.suffix(golden.decoded.count), golden.decoded) {
      let got = tokenizer.decode(numbers(ids), skippingSpecialTokens: false)
      if !got.unicodeScalars.elementsEqual(text.unicodeScalars) {
        wrong.append("\(got.debugDescription), not \(text.debugDescription)")
      }
    }
    for (ids, text) in zip(golden.noise, golden.noiseText) {
      let got = tokenizer.decode(numbers(ids), skippingSpecialTokens: true)
      if !got.unicodeScalars.elementsEqual(text.unicodeScalars) {
        wrong.append("noise \(got.debugDescription), not \(text.debugDescription)")
      }
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5).joined(separator: "\n"))")
  }

  @Test(arguments: ["NFC", "NFD", "NFKC", "NFKD"]) func unicodeForms(name: String) throws {
    let forms = try JSONDecoder().decode(
      [String: [String]].self, from: Data(contentsOf: GoldenFile.url("forms.json")))
    let form = try #require(UnicodeForm(rawValue: name))
    let golden = try #require(forms[name])
    let wrong = zip(try GoldenFile.strings().suffix(golden.count), golden).filter { text, expected in
      form.normalize(AlignedText(text)).map(\.value) != expected.unicodeScalars.map(\.value)
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5))")
  }

  @Test(.enabled(if: SharedReference.isPresent)) func realVocabulary() throws {
    let tokenizer = try Tokenizer(contentsOf: SharedReference.path("models/gpt2-tokenizer"))
    let golden = try JSONDecoder().decode(
      [String].self, from: Data(contentsOf: GoldenFile.url("gpt2-ids.json")))
    let wrong = zip(try GoldenFile.strings(), golden).filter { text, ids in
      tokenizer.encode(text, addingSpecialTokens: true).ids != numbers(ids)
    }
    #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5).map { $0.0 })")
  }
}
