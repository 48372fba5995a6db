// Patterns take time in proportion to the text, and the matcher that sees to it finds what the usual one finds.

import Files
import Testing

@testable import Tokenizers

@Suite struct LinearMatcherTests {
  static let patterns = [
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
    #"[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#,
    "(a|b)*(a|c)+d?", "(?:ab|a)(?=b)b*", "(a+b|a)", "(?!ab)a[ab]{1,3}", "(a{2}|b)+(?=c|d)",
  ]

  /// All texts of up to five of four letters, and sentences.
  @Test(arguments: patterns) func itFindsWhatTheUsualOneFinds(pattern: String) throws {
    let compiled = try Pattern(pattern, field: "test")
    var texts = ["", "I'll've  don't \r\n\n 123456 x!!\n", " \t a1b22  ", "Été—naïve 東京  "]
    var last = [""]
    for _ in 0..<5 {
      last = last.flatMap { text in "abcd".map { text + String($0) } }
      texts += last
    }
    for text in texts {
      let aligned = AlignedText(text)
      #expect(
        compiled.matches(in: aligned) == compiled.matches(in: aligned, usualSteps: 0),
        "\(text.debugDescription)")
    }
  }

  /// Patterns on which backtracking alone takes time without bound, or grows with the square of the text.
  @Test(arguments: [
    ("(x|x)*(x|x)*y", 0), ("(x+)+y", 0), ("(?:x*y|x)", 20_000), ("(?=x*y)x", 0), ("(?!x*y)x", 20_000),
    ("x++y", 0), ("(x|xx|xxx)+(x|xx)+y", 0),
  ])
  func patternsThatBacktrackForEver(pattern: String, matches: Int) throws {
    let compiled = try Pattern(pattern, field: "test")
    let text = AlignedText(String(repeating: "x", count: 20_000))
    #expect(compiled.matches(in: text).count == matches)
  }
}
