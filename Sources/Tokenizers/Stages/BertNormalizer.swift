// What BERT does to text before it is split: control characters out, blanks to spaces, ideographs apart, accents and
// capitals away.

import Files

/// The rule `BertNormalizer`.
struct BertNormalizer: Sendable {
  private let cleans: Bool
  private let separatesIdeographs: Bool
  private let stripsAccents: Bool
  private let lowercases: Bool

  /// Reads a normaliser of type `BertNormalizer`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"])
    cleans = try field.bool("clean_text", absent: true)
    separatesIdeographs = try field.bool("handle_chinese_chars", absent: true)
    lowercases = try field.bool("lowercase", absent: true)
    stripsAccents = try field.member("strip_accents")?.bool() ?? lowercases
  }

  func normalize(_ text: AlignedText) -> AlignedText {
    var text = text
    if cleans {
      text = ArraySlice(
        text.compactMap { scalar in
          guard scalar.value != 0, scalar.value != 0xFFFD, !Self.isControl(scalar.value) else { return nil }
          var scalar = scalar
          if CharacterClass.isBlank(scalar.value) { scalar.value = 32 }
          return scalar
        })
    }
    if separatesIdeographs {
      text = ArraySlice(
        text.flatMap { scalar -> [AlignedScalar] in
          guard Self.isIdeograph(scalar.value) else { return [scalar] }
          let blank = AlignedScalar(value: 32, start: scalar.start, end: scalar.end)
          return [blank, scalar, blank]
        })
    }
    if stripsAccents {
      text = ArraySlice(
        UnicodeForm.decomposed.normalize(text).filter {
          Self.category($0.value) != "Mn"
        })
    }
    return lowercases ? Normalizer.lowercase.normalize(text) : text
  }

  private static func isControl(_ scalar: UInt32) -> Bool {
    guard ![9, 10, 13].contains(scalar) else { return false }
    return ["Cc", "Cf", "Co"].contains(category(scalar))
  }

  /// The general category as the package's normaliser has it, whose tables are those of Unicode 8: what was assigned later
  /// counts as unassigned, and stays.
  private static func category(_ scalar: UInt32) -> String {
    let age = Unicode.Scalar(scalar)?.properties.age?.major ?? .max
    let category = CharacterClass.categories[Int(CharacterClass.category(scalar))]
    return age <= 8 || category == "Co" ? category : "Cn"
  }

  private static func isIdeograph(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
