// Help, completions and the manual page: made from the declarations, laid out once.

@testable import Commands
import Testing

@Suite struct HelpTests {
  @Test(arguments: subcommands.map { $0.name })
  func helpIsBrokenOnce(name: String) throws {
    let command = try #require(subcommands.first { $0.name == name })
    for width in [60, 80, 110] {
      let lines = command.discussion.laidOut(at: width).split(separator: "\n")
      // A line that ends early, though the next word would have fitted, was broken twice.
      for (line, next) in zip(lines, lines.dropFirst()) where !next.hasPrefix(" ") && !line.hasPrefix(" ") {
        let word = next.split(separator: " ").first.map(\.count) ?? 0
        let isParagraphEnd = !command.discussion.laidOut(at: .max).contains("\(line) \(next.prefix(word))")
        #expect(isParagraphEnd || line.count + 1 + word > width, "\(name): \(line)")
      }
      for line in lines where line.contains(" ") { #expect(line.count <= width, "\(name): \(line)") }
    }
  }

  @Test func paragraphsAndIndentedLinesStay() {
    #expect("a b\nc\n\nd\n  e\n  f\ng".laidOut(at: 80) == "a b c\n\nd\n  e\n  f\ng")
    #expect("one two three".laidOut(at: 7) == "one two\nthree")
  }

  @Test func completionsNameEveryCommandAndOption() {
    for shell in Shell.allCases {
      for command in subcommands {
        #expect(shell.completions.contains(command.name), "\(shell) \(command.name)")
        for option in command.syntax.options {
          #expect(shell.completions.contains(option.name), "\(shell) \(option.name)")
        }
      }
    }
    for command in subcommands {
      #expect(manualPage.contains(".SS " + command.name.replacing("-", with: "\\-")))
    }
    #expect(!manualPage.split(separator: "\n").contains { $0.hasPrefix("'") })
  }
}
