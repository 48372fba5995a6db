// Post-processors add the special tokens around a text, and narrow offsets.

import Files

/// A rule that completes an encoding.
indirect enum PostProcessor: Sendable {
  /// Blanks at the ends of a token do not count in its offsets.
  case trimming(addsPrefixSpace: Bool)
  /// Special tokens before and after the text.
  case template(before: [Int], after: [Int])
  case sequence([PostProcessor])

  /// Reads the field `post_processor`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    let type = try field.required("type")
    switch try type.string() {
    case "ByteLevel":
      try field.allowOnly(["type", "add_prefix_space", "trim_offsets", "use_regex"])
      self =
        try field.bool("trim_offsets", absent: true)
        ? .trimming(addsPrefixSpace: try field.bool("add_prefix_space", absent: true)) : .sequence([])
    case "BertProcessing":
      try field.allowOnly(["type", "sep", "cls"])
      self = .template(before: [try Self.token(field, "cls")], after: [try Self.token(field, "sep")])
    case "RobertaProcessing":
      try field.allowOnly(["type", "sep", "cls", "trim_offsets", "add_prefix_space"])
      let template = PostProcessor.template(
        before: [try Self.token(field, "cls")], after: [try Self.token(field, "sep")])
      let trimming = PostProcessor.trimming(
        addsPrefixSpace: try field.bool("add_prefix_space", absent: true))
      self = try field.bool("trim_offsets", absent: true) ? .sequence([trimming, template]) : template
    case "TemplateProcessing":
      try field.allowOnly(["type", "single", "pair", "special_tokens"])
      self = try Self.template(field)
    case "Sequence":
      try field.allowOnly(["type", "processors"])
      var parts: [PostProcessor] = []
      for part in try field.required("processors").elements() { parts.append(try PostProcessor(part)) }
      self = .sequence(parts)
    case let other: throw .unsupported(field: type.path, value: other)
    }
  }

  /// The id of a member `[token, id]`.
  private static func token(_ field: JSONField, _ name: String) throws(TokenizerProblem) -> Int {
    let pair = try field.required(name)
    let elements = try pair.elements()
    guard elements.count == 2 else { throw .wrongValue(field: pair.path, expected: "a token and its id") }
    return try elements[1].count()
  }

  private static func template(_ field: JSONField) throws(TokenizerProblem) -> PostProcessor {
    let special = try field.required("special_tokens")
    var before: [Int] = []
    var after: [Int] = []
    var sequences = 0
    for element in try field.required("single").elements() {
      if let sequence = try element.member("Sequence") {
        let id = try sequence.required("id").string()
        guard id == "A", sequences == 0 else { throw .unsupported(field: sequence.path, value: id) }
        sequences += 1
      } else {
        let token = try element.required("SpecialToken").required("id")
        guard let definition = try special.member(token.string()) else {
          throw .unknownToken(field: token.path, token: try token.string())
        }
        var ids: [Int] = []
        for id in try definition.required("ids").elements() { ids.append(try id.count()) }
        if sequences == 0 { before += ids } else { after += ids }
      }
    }
    guard sequences == 1 else { throw .missing(field: field.path + ".single[].Sequence") }
    return .template(before: before, after: after)
  }

  /// The ids before and after a text.
  var surroundings: (before: [Int], after: [Int]) {
    switch self {
    case .trimming: ([], [])
    case .template(let before, let after): (before, after)
    case .sequence(let parts):
      parts.reduce(([], [])) { inner, part in
        let (before, after) = part.surroundings
        return (before + inner.0, inner.1 + after)
      }
    }
  }

  /// Completes an encoding; `token` is the text of an id.
  func process(_ encoding: inout Encoding, addingSpecialTokens: Bool, token: (Int) -> String) {
    switch self {
    case .trimming(let addsPrefixSpace):
      for index in encoding.tokens.indices {
        encoding.offsets[index] = Self.trimmed(
          encoding.offsets[index], of: encoding.tokens[index], isFirst: index == 0,
          hasPrefixSpace: addsPrefixSpace)
      }
    case .template(let before, let after):
      guard addingSpecialTokens else { return }
      encoding.ids = before + encoding.ids + after
      encoding.tokens = before.map(token) + encoding.tokens + after.map(token)
      encoding.offsets = before.map { _ in 0..<0 } + encoding.offsets + after.map { _ in 0..<0 }
    case .sequence(let parts):
      for part in parts { part.process(&encoding, addingSpecialTokens: addingSpecialTokens, token: token) }
    }
  }

  /// A token's range without the blanks at its ends; the space that was put before the text is no part of it.
  private static func trimmed(
    _ range: Range<Int>, of token: String, isFirst: Bool, hasPrefixSpace: Bool
  ) -> Range<Int> {
    let isBlank: (Unicode.Scalar) -> Bool = { scalar in
      scalar.value == ByteLevelAlphabet.characters[32] || CharacterClass.isBlank(scalar.value)
    }
    var leading = token.unicodeScalars.prefix(while: isBlank).count
    let trailing = token.unicodeScalars.reversed().prefix(while: isBlank).count
    if leading > 0, hasPrefixSpace, isFirst || range.lowerBound == 0 { leading -= 1 }
    let lower = min(range.lowerBound + leading, range.upperBound)
    guard trailing > 0, range.upperBound >= trailing else { return lower..<range.upperBound }
    return lower..<max(range.upperBound - trailing, lower)
  }
}
