// Decoders turn tokens back into text.

import Files

/// A rule that rewrites a list of tokens into a list of texts, which are joined in the end.
indirect enum Decoder: Sendable {
  case byteLevel
  case byteFallback
  case fuse
  case strip(content: UInt32, start: Int, stop: Int)
  case replace(TextFinder, with: [UInt32])
  case metaspace(Metaspace)
  /// Words with blanks between, pieces that begin with the prefix joined to what is before them.
  case wordPiece(prefix: String, cleansUp: Bool)
  case sequence([Decoder])

  /// Reads the field `decoder`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    let type = try field.required("type")
    switch try type.string() {
    case "ByteLevel":
      try field.allowOnly(["type", "add_prefix_space", "trim_offsets", "use_regex"])
      self = .byteLevel
    case "ByteFallback":
      try field.allowOnly(["type"])
      self = .byteFallback
    case "Fuse":
      try field.allowOnly(["type"])
      self = .fuse
    case "Strip":
      try field.allowOnly(["type", "content", "start", "stop"])
      let content = try field.required("content")
      let scalars = try content.string().scalarValues
      guard let scalar = scalars.first, scalars.count == 1 else {
        throw .wrongValue(field: content.path, expected: "one character")
      }
      self = .strip(
        content: scalar, start: try field.required("start").count(), stop: try field.required("stop").count())
    case "Replace":
      try field.allowOnly(["type", "pattern", "content"])
      self = .replace(
        try TextFinder(field.required("pattern")), with: try field.required("content").string().scalarValues)
    case "Metaspace":
      self = .metaspace(try Metaspace(field))
    case "WordPiece":
      try field.allowOnly(["type", "prefix", "cleanup"])
      self = .wordPiece(
        prefix: try field.member("prefix")?.string() ?? "##",
        cleansUp: try field.bool("cleanup", absent: true))
    case "Sequence":
      try field.allowOnly(["type", "decoders"])
      var parts: [Decoder] = []
      for part in try field.required("decoders").elements() { parts.append(try Decoder(part)) }
      self = .sequence(parts)
    case let other: throw .unsupported(field: type.path, value: other)
    }
  }

  func decode(_ tokens: [String]) -> [String] {
    switch self {
    case .byteLevel: return [Self.joinedBytes(tokens)]
    case .byteFallback: return Self.joiningByteTokens(tokens)
    case .fuse: return [tokens.joined()]
    case .strip(let content, let start, let stop):
      return tokens.map { token in
        var scalars = token.scalarValues[...]
        let left = scalars.prefix(start).prefix { $0 == content }.count
        scalars = scalars.dropFirst(left)
        let right = scalars.suffix(stop).reversed().prefix { $0 == content }.count
        return String(scalarValues: scalars.dropLast(right))
      }
    case .replace(let finder, let content):
      return tokens.map { token in
        let text = AlignedText(token)
        var result: [UInt32] = []
        var end = text.startIndex
        for place in finder.matches(in: text) {
          result += text[end..<place.lowerBound].map(\.value) + content
          end = place.upperBound
        }
        return String(scalarValues: result + text[end...].map(\.value))
      }
    case .metaspace(let metaspace): return metaspace.decode(tokens)
    case .wordPiece(let prefix, let cleansUp):
      return tokens.enumerated().map { index, token in
        var text = token
        if index > 0 {
          // By scalars: a mark may stand right behind the prefix.
          let (own, lead) = (token.scalarValues, prefix.scalarValues)
          text =
            own.starts(with: lead) ? String(scalarValues: own.dropFirst(lead.count)) : " " + token
        }
        return cleansUp ? Self.cleaned(text) : text
      }
    case .sequence(let parts): return parts.reduce(tokens) { $1.decode($0) }
    }
  }

  /// English contractions and signs without the blank before them.
  private static func cleaned(_ text: String) -> String {
    var text = AlignedText(text).map(\.value)[...]
    for (from, to) in [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
      (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ] {
      let (from, to) = (from.scalarValues, to.scalarValues)
      var result: [UInt32] = []
      while let first = text.first {
        if text.starts(with: from) {
          result += to
          text = text.dropFirst(from.count)
        } else {
          result.append(first)
          text = text.dropFirst()
        }
      }
      text = result[...]
    }
    return String(scalarValues: text)
  }

  /// The bytes that byte-level tokens spell; a token with other characters stands for itself.
  private static func joinedBytes(_ tokens: [String]) -> String {
    var bytes: [UInt8] = []
    for token in tokens {
      let start = bytes.count
      for scalar in token.unicodeScalars {
        guard let byte = ByteLevelAlphabet.byte(of: scalar.value) else {
          bytes.removeSubrange(start...)
          bytes.append(contentsOf: token.utf8)
          break
        }
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Runs of tokens `<0xE2>` as the text they spell, or a replacement character a byte where they spell none.
  private static func joiningByteTokens(_ tokens: [String]) -> [String] {
    var result: [String] = []
    var bytes: [UInt8] = []
    func flush() {
      guard !bytes.isEmpty else { return }
      if let text = String(validating: bytes, as: UTF8.self) {
        result.append(text)
      } else {
        result += bytes.map { _ in "\u{FFFD}" }
      }
      bytes.removeAll()
    }
    for token in tokens {
      if token.utf8.count == 6, token.hasPrefix("<0x"), token.hasSuffix(">"),
        let byte = UInt8(token.dropFirst(3).dropLast(), radix: 16)
      {
        bytes.append(byte)
      } else {
        flush()
        result.append(token)
      }
    }
    flush()
    return result
  }
}

extension String {
  /// The text of code points; what is none is left out.
  init(scalarValues: some Sequence<UInt32>) {
    self.init(String.UnicodeScalarView(scalarValues.lazy.compactMap { Unicode.Scalar($0) }))
  }
}
