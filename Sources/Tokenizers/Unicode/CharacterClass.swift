// What a code point is to the regular expressions of tokenizers: one byte a code point.
//
// The Unicode properties of the standard library follow another version of Unicode than the package whose vocabularies
// are read here, and a letter that one of them does not know yet would be split differently. So the table is fixed.

/// General categories in the order of the table.
enum CharacterClass {
  /// The two-letter names of the general categories; a category's number is its place here.
  static let categories = [
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf",
    "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co",
  ]

  private static let categoryBits: UInt8 = 31
  private static let wordBit: UInt8 = 32
  private static let numericBit: UInt8 = 64
  private static let punctuationBit: UInt8 = 128

  private static let flags: [UInt8] = {
    var flags: [UInt8] = []
    flags.reserveCapacity(0x110000)
    let runs = CharacterTable.runs
    for (index, run) in runs.enumerated() {
      let end = index + 1 < runs.count ? Int(runs[index + 1] >> 8) : 0x110000
      flags.append(contentsOf: repeatElement(UInt8(truncatingIfNeeded: run), count: end - Int(run >> 8)))
    }
    return flags
  }()

  /// The number of the general category.
  static func category(_ scalar: UInt32) -> UInt8 { flags[Int(scalar)] & categoryBits }

  /// Whether the code point is a word character: alphabetic, a mark, a decimal digit, a connector or a joiner.
  static func isWord(_ scalar: UInt32) -> Bool { flags[Int(scalar)] & wordBit != 0 }

  /// Whether the code point counts as a number of any kind.
  static func isNumeric(_ scalar: UInt32) -> Bool { flags[Int(scalar)] & numericBit != 0 }

  /// Whether the code point is punctuation, every ASCII sign included.
  static func isPunctuation(_ scalar: UInt32) -> Bool { flags[Int(scalar)] & punctuationBit != 0 }

  /// Whether the code point has the property White_Space.
  static func isBlank(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }
}
