// Normalisers change text before it is split.

import Files

/// A rule that rewrites text.
indirect enum Normalizer: Sendable {
  case prepend([UInt32])
  case replace(TextFinder, with: [UInt32])
  case strip(left: Bool, right: Bool)
  case lowercase
  case form(UnicodeForm)
  /// Removes marks.
  case stripAccents
  case byteLevel
  case bert(BertNormalizer)
  case precompiled(PrecompiledMap)
  case sequence([Normalizer])

  /// Reads the field `normalizer`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    let type = try field.required("type")
    switch try type.string() {
    case "Prepend":
      try field.allowOnly(["type", "prepend"])
      self = .prepend(try field.required("prepend").string().scalarValues)
    case "Replace":
      try field.allowOnly(["type", "pattern", "content"])
      self = .replace(
        try TextFinder(field.required("pattern")), with: try field.required("content").string().scalarValues)
    case "Strip":
      try field.allowOnly(["type", "strip_left", "strip_right"])
      self = .strip(
        left: try field.required("strip_left").bool(), right: try field.required("strip_right").bool())
    case "Lowercase":
      try field.allowOnly(["type"])
      self = .lowercase
    case "NFC", "NFD", "NFKC", "NFKD":
      try field.allowOnly(["type"])
      self = .form(try type.word(as: UnicodeForm.self))
    case "StripAccents":
      try field.allowOnly(["type"])
      self = .stripAccents
    case "ByteLevel":
      try field.allowOnly(["type"])
      self = .byteLevel
    case "BertNormalizer": self = .bert(try BertNormalizer(field))
    case "Precompiled": self = .precompiled(try PrecompiledMap(field))
    case "Sequence":
      try field.allowOnly(["type", "normalizers"])
      var parts: [Normalizer] = []
      for part in try field.required("normalizers").elements() { parts.append(try Normalizer(part)) }
      self = .sequence(parts)
    case let other: throw .unsupported(field: type.path, value: other)
    }
  }

  /// The rewritten text, every scalar with the place it came from.
  func normalize(_ text: AlignedText) -> AlignedText {
    switch self {
    case .prepend(let prefix):
      var text = text
      text.prepend(prefix)
      return text
    case .replace(let finder, let content):
      return Self.replace(finder.matches(in: text), in: text, with: content)
    case .strip(let left, let right):
      var text = text
      if left { text = text.drop { CharacterClass.isBlank($0.value) } }
      if right { text = text.prefix(through: text.lastIndex { !CharacterClass.isBlank($0.value) }) }
      return text
    case .lowercase:
      return ArraySlice(
        text.flatMap { scalar -> [AlignedScalar] in
          let lower = Unicode.Scalar(scalar.value)?.properties.lowercaseMapping.scalarValues ?? [scalar.value]
          return lower.map { AlignedScalar(value: $0, start: scalar.start, end: scalar.end) }
        })
    case .form(let form):
      return form.normalize(text)
    case .stripAccents:
      return ArraySlice(text.filter { !UnicodeForms.isMark($0.value) })
    case .byteLevel:
      return ByteLevelAlphabet.spell(text)
    case .bert(let bert): return bert.normalize(text)
    case .precompiled(let map): return map.normalize(text)
    case .sequence(let parts):
      return parts.reduce(text) { $1.normalize($0) }
    }
  }

  /// What replaces a place stands for the last scalar of it.
  private static func replace(
    _ places: [Range<Int>], in text: AlignedText, with content: [UInt32]
  ) -> AlignedText {
    guard !places.isEmpty else { return text }
    var result: [AlignedScalar] = []
    var end = text.startIndex
    for place in places {
      result += text[end..<place.lowerBound]
      let origin = text[place.upperBound - 1]
      result += content.map { AlignedScalar(value: $0, start: origin.start, end: origin.end) }
      end = place.upperBound
    }
    return (result + text[end...])[...]
  }
}

extension ArraySlice {
  /// The elements up to and with `index`; none where it is nil.
  fileprivate func prefix(through index: Int?) -> ArraySlice {
    guard let index else { return self[startIndex..<startIndex] }
    return self[...index]
  }
}
