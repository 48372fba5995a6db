// Added tokens are found in a text before anything else happens to it.

import Files

/// One entry of `added_tokens`.
struct AddedToken: Sendable {
  var id: Int
  var content: String
  /// Only where no word character stands on either side.
  var isSingleWord: Bool
  /// Takes the blanks before it along.
  var stripsLeft: Bool
  /// Takes the blanks after it along.
  var stripsRight: Bool
  /// Is looked for after normalisation.
  var isNormalized: Bool
  /// Is left out of decoded text on demand.
  var isSpecial: Bool

  /// A special token that is looked for in the text as it stands.
  init(special content: String, id: Int) {
    self.id = id
    self.content = content
    (isSingleWord, stripsLeft, stripsRight, isNormalized, isSpecial) = (false, false, false, false, true)
  }

  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"])
    let number = try field.required("id")
    id = try number.count()
    guard id <= Vocabulary.largestID else { throw .wrongValue(field: number.path, expected: "a token id") }
    content = try field.required("content").string()
    isSingleWord = try field.bool("single_word", absent: false)
    stripsLeft = try field.bool("lstrip", absent: false)
    stripsRight = try field.bool("rstrip", absent: false)
    isSpecial = try field.bool("special", absent: false)
    isNormalized = try field.bool("normalized", absent: !isSpecial)
  }
}

/// A text cut at added tokens.
enum AddedTokenPart {
  case token(Int, Range<Int>)
  case text(AlignedText)
}

/// Finds added tokens: at every place from left to right the longest one.
struct AddedTokens: Sendable {
  private let byID: [Int: AddedToken]
  private let idByContent: [String: Int]
  /// What each id reads as: the content, normalised where the token is looked for after normalisation.
  private let textByID: [Int: String]
  private let exact: TokenTrie
  private let normalized: TokenTrie

  init(_ tokens: [AddedToken], normalizer: Normalizer?) {
    byID = Dictionary(tokens.map { ($0.id, $0) }) { $1 }
    idByContent = Dictionary(tokens.map { ($0.content, $0.id) }) { $1 }
    var exact = TokenTrie()
    var normalized = TokenTrie()
    var textByID: [Int: String] = [:]
    for token in tokens {
      let content = AlignedText(token.content)
      if token.isNormalized {
        let found = normalizer?.normalize(content) ?? content
        normalized.insert(found.map(\.value), id: token.id)
        textByID[token.id] = found.string
      } else {
        exact.insert(content.map(\.value), id: token.id)
        textByID[token.id] = token.content
      }
    }
    self.textByID = textByID
    self.exact = exact
    self.normalized = normalized
  }

  /// The largest id + 1; 0 where there is none.
  var size: Int { (byID.keys.max() ?? -1) + 1 }

  func id(of token: String) -> Int? { idByContent[token] }
  func token(of id: Int) -> String? { textByID[id] }
  func isSpecial(_ id: Int) -> Bool { byID[id]?.isSpecial ?? false }

  /// The text with its added tokens cut out and the rest normalised.
  func split(_ text: AlignedText, normalizer: Normalizer?) -> [AddedTokenPart] {
    cut(text, with: exact).flatMap { part -> [AddedTokenPart] in
      guard case .text(let stretch) = part else { return [part] }
      return cut(normalizer?.normalize(stretch) ?? stretch, with: normalized)
    }
  }

  private func cut(_ text: AlignedText, with trie: TokenTrie) -> [AddedTokenPart] {
    guard !trie.isEmpty else { return text.isEmpty ? [] : [.text(text)] }
    var parts: [AddedTokenPart] = []
    var done = text.startIndex
    var place = text.startIndex
    while place < text.endIndex {
      guard let (id, end) = trie.longestMatch(in: text, at: place) else {
        place += 1
        continue
      }
      defer { place = end }
      guard let token = byID[id], isAllowed(token, place..<end, in: text) else { continue }
      var start = place
      var stop = end
      if token.stripsLeft {
        while start > done, CharacterClass.isBlank(text[start - 1].value) { start -= 1 }
      }
      if token.stripsRight {
        while stop < text.endIndex, CharacterClass.isBlank(text[stop].value) { stop += 1 }
      }
      if done < start { parts.append(.text(text[done..<start])) }
      parts.append(.token(id, text[start..<stop].originalRange))
      done = stop
    }
    if done < text.endIndex { parts.append(.text(text[done...])) }
    return parts
  }

  private func isAllowed(_ token: AddedToken, _ range: Range<Int>, in text: AlignedText) -> Bool {
    guard token.isSingleWord else { return true }
    let followsWord =
      range.lowerBound > text.startIndex && CharacterClass.isWord(text[range.lowerBound - 1].value)
    let precedesWord = range.upperBound < text.endIndex && CharacterClass.isWord(text[range.upperBound].value)
    return !followsWord && !precedesWord
  }
}

/// A prefix tree of token texts.
private struct TokenTrie: Sendable {
  private struct Edge: Hashable {
    var node: Int
    var scalar: UInt32
  }

  private var edges: [Edge: Int] = [:]
  /// The token that ends at each node.
  private var ids: [Int?] = [nil]

  var isEmpty: Bool { edges.isEmpty }

  mutating func insert(_ content: [UInt32], id: Int) {
    guard !content.isEmpty else { return }
    var node = 0
    for scalar in content {
      let edge = Edge(node: node, scalar: scalar)
      if let next = edges[edge] {
        node = next
      } else {
        node = ids.count
        ids.append(nil)
        edges[edge] = node
      }
    }
    ids[node] = id
  }

  func longestMatch(in text: AlignedText, at start: Int) -> (id: Int, end: Int)? {
    var node = 0
    var found: (id: Int, end: Int)?
    var place = start
    while place < text.endIndex, let next = edges[Edge(node: node, scalar: text[place].value)] {
      node = next
      place += 1
      if let id = ids[node] { found = (id, place) }
    }
    return found
  }
}
