// What the Python package made of the golden texts; written by Golden/make_golden.py.

import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// One golden file `KIND.json`.
struct GoldenFile: Decodable {
  var ids: [String]
  var bare: [String]
  var offsets: [String]
  var decoded: [String]
  var noise: [String]
  var noiseText: [String]

  static func url(_ name: String) -> URL {
    URL(fileURLWithPath: packageFolder + "/Tests/TokenizersTests/Golden/" + name)
  }

  /// The texts that all kinds were tried on.
  static func strings() throws -> [String] {
    try JSONDecoder().decode([String].self, from: Data(contentsOf: url("strings.json")))
  }

  /// The results of a kind, and its tokenizer.
  static func read(_ kind: String) throws -> (golden: GoldenFile, tokenizer: Tokenizer) {
    let data = try Data(contentsOf: url(kind + ".json"))
    // The file has one member that is a tokenizer.json; cutting it out keeps the order of its members.
    let text = String(decoding: data, as: UTF8.self)
    let start = try #require(text.range(of: "\"tokenizer\":"))
    let json = text[start.upperBound...].dropLast(2)
    return (try JSONDecoder().decode(GoldenFile.self, from: data), try Tokenizer(json: String(json)))
  }
}

/// Numbers written as characters.
func numbers(_ text: String) -> [Int] { text.unicodeScalars.map { Int($0.value) - 0x100 } }
