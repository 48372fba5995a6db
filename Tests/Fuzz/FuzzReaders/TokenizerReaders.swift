// tokenizer.json, and the patterns in it.

import Files
import Tokenizers

let tokenizerReaders: [FuzzReader] = [
  FuzzReader(name: "tokenizer") { bytes, _ in
    try encode(Tokenizer(json: String(decoding: bytes, as: UTF8.self)), "When Mary's 12 cats — 二 \n\t sat")
  },
  FuzzReader(name: "pattern") { bytes, _ in
    // A pattern, and after a line break the text that it splits.
    let parts = bytes.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
    let pattern = String(decoding: parts.first ?? [], as: UTF8.self)
    let text = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"
    let file = JSONValue.object([
      .init("version", .string("1.0")),
      .init(
        "pre_tokenizer",
        .object([
          .init("type", .string("Split")), .init("pattern", .object([.init("Regex", .string(pattern))])),
          .init("behavior", .string("Isolated")), .init("invert", .boolean(false)),
        ])),
      .init(
        "model",
        .object([
          .init("type", .string("WordLevel")),
          .init("vocab", .object([.init("a", .integer(0)), .init("?", .integer(1))])),
          .init("unk_token", .string("?")),
        ])),
    ])
    try encode(Tokenizer(json: file.line), text)
  },
]

private func encode(_ tokenizer: Tokenizer, _ text: String) {
  let encoding = tokenizer.encode(text, addingSpecialTokens: true)
  _ = tokenizer.decode(encoding.ids, skippingSpecialTokens: false)
}
