// A command line in words, by the shell's rules for quotes, without a shell.

/// Why a line is no plain command.
public enum CommandLineProblem: Error, Equatable, Sendable {
  case empty
  case openQuote
  /// A character that only a shell gives its meaning.
  case needsShell(Character)
}

/// Splits a line at blanks. Single quotes keep everything as it is, double quotes everything but a backslash before `"`
/// or `\`, and a backslash keeps the character after it.
/// - Throws: `CommandLineProblem.needsShell` for what a shell would expand, join or redirect outside of quotes.
public func commandWords(_ line: String) throws(CommandLineProblem) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  var rest = Substring(line)
  while let character = rest.popFirst() {
    if quote == "'" {
      if character == "'" { quote = nil } else { word?.append(character) }
    } else if character == "\\", let next = rest.first, quote == nil || next == "\"" || next == "\\" {
      rest.removeFirst()
      word = (word ?? "") + String(next)
    } else if quote == "\"" {
      if character == "\"" { quote = nil; continue }
      if character == "$" || character == "`" { throw .needsShell(character) }
      word?.append(character)
    } else if character == "'" || character == "\"" {
      quote = character
      word = word ?? ""
    } else if character.isWhitespace {
      if let word { words.append(word) }
      word = nil
    } else if "|&;<>()$`*?[]{}~#!".contains(character) {
      throw .needsShell(character)
    } else {
      word = (word ?? "") + String(character)
    }
  }
  guard quote == nil else { throw .openQuote }
  if let word { words.append(word) }
  guard !words.isEmpty else { throw .empty }
  return words
}
