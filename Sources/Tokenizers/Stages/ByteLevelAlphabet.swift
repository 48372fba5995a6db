// The alphabet of byte-level tokenizers: every byte as a visible character (Radford et al. 2019, GPT-2's code).
//
// Bytes that are visible characters of Latin-1 stand for themselves; the others follow from U+0100 in order.

enum ByteLevelAlphabet {
  /// The character of each byte.
  static let characters: [UInt32] = {
    var next: UInt32 = 0x100
    return (UInt32(0)...255).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
      default:
        defer { next += 1 }
        return next
      }
    }
  }()

  /// The byte of each character below U+0144; nil where it stands for none.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x144)
    for (byte, character) in characters.enumerated() { bytes[Int(character)] = UInt8(byte) }
    return bytes
  }()

  /// The byte that a character stands for.
  static func byte(of character: UInt32) -> UInt8? {
    character < UInt32(bytes.count) ? bytes[Int(character)] : nil
  }

  /// Every byte of the text's UTF-8 as a character, each standing for the whole scalar it is part of.
  static func spell(_ text: AlignedText) -> AlignedText {
    var spelled: [AlignedScalar] = []
    spelled.reserveCapacity(text.count + text.count / 8)
    var bytes: [UInt8] = []
    for scalar in text {
      bytes.removeAll(keepingCapacity: true)
      appendUTF8(scalar.value, to: &bytes)
      for byte in bytes {
        spelled.append(.init(value: characters[Int(byte)], start: scalar.start, end: scalar.end))
      }
    }
    return spelled[...]
  }
}
