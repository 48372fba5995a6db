// SentencePiece's own normaliser: a trie from UTF-8 to what replaces it, compiled into the model.
//
// Source: SentencePiece's `Normalizer`, and the double array of Yata et al. 2007 ("darts-clone").

import Files

/// The rule `Precompiled`.
struct PrecompiledMap: Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]

  /// Reads a normaliser of type `Precompiled`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["type", "precompiled_charsmap"])
    let map = try field.required("precompiled_charsmap")
    guard let bytes = decodeBase64(try map.string()), bytes.count >= 4 else {
      throw .wrongValue(field: map.path, expected: "a character map in base 64")
    }
    func word(_ place: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }
    let size = Int(word(0))
    guard size % 4 == 0, 4 + size <= bytes.count else {
      throw .wrongValue(field: map.path, expected: "a character map that is as long as it says")
    }
    units = stride(from: 4, to: 4 + size, by: 4).map(word)
    replacements = Array(bytes[(4 + size)...])
  }

  /// The text with its characters replaced: each grapheme of fewer than six bytes as a whole where the map has it, else
  /// character by character.
  func normalize(_ text: AlignedText) -> AlignedText {
    var changes: [ScalarChange] = []
    for grapheme in text.string {
      let whole = Array(String(grapheme).utf8)
      if whole.count < 6, let replacement = replacement(of: whole) {
        append(replacement, for: grapheme.unicodeScalars.count, to: &changes)
        continue
      }
      for scalar in grapheme.unicodeScalars {
        var bytes: [UInt8] = []
        appendUTF8(scalar.value, to: &bytes)
        if let replacement = replacement(of: bytes) {
          append(replacement, for: 1, to: &changes)
        } else {
          changes.append(ScalarChange(value: scalar.value, change: 0))
        }
      }
    }
    return text.transformed(changes)
  }

  private func append(_ new: [UInt32], for oldCount: Int, to changes: inout [ScalarChange]) {
    changes += new.map { ScalarChange(value: $0, change: 0) }
    let difference = new.count - oldCount
    if difference > 0 {
      for index in changes.indices.suffix(difference) { changes[index].change = 1 }
    } else if difference < 0, !changes.isEmpty {
      // What is swallowed counts with the character before, even one of an earlier place.
      changes[changes.count - 1].change += difference
    }
  }

  /// What replaces the shortest beginning of `key` that the trie has; nil where it has none.
  private func replacement(of key: [UInt8]) -> [UInt32]? {
    guard let first = units.first else { return nil }
    var node = offset(first)
    for byte in key {
      guard byte != 0 else { return nil }
      node ^= Int(byte)
      guard units.indices.contains(node) else { return nil }
      let unit = units[node]
      guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
      node ^= offset(unit)
      if unit >> 8 & 1 == 1 {
        guard units.indices.contains(node) else { return nil }
        let start = Int(units[node] & 0x7FFF_FFFF)
        guard start <= replacements.count else { return nil }
        let bytes = replacements[start...].prefix { $0 != 0 }
        return String(decoding: bytes, as: UTF8.self).scalarValues
      }
    }
    return nil
  }

  private func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }
}

/// The bytes of a text in base 64; nil where it is none.
func decodeBase64(_ text: String) -> [UInt8]? {
  var (bytes, buffer, bits): ([UInt8], UInt32, Int) = ([], 0, 0)
  for byte in text.utf8 where byte != UInt8(ascii: "=") {
    let value: UInt8
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
    default: return nil
    }
    buffer = buffer << 6 | UInt32(value)
    bits += 6
    if bits >= 8 {
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
      buffer &= (1 << UInt32(bits)) - 1
    }
  }
  return bytes
}
