// The built command's answers to words it cannot take.

import TestSupport
import Testing

@Suite struct MisuseTests {
  @Test func helpListsCommands() throws {
    let result = try headlamp(["--help"])
    #expect(result.exitCode == 0)
    #expect(result.output.contains("usage: headlamp COMMAND"))
    #expect(result.errors.isEmpty)
  }

  @Test(arguments: ["--version", "version"]) func theVersionIsTold(word: String) throws {
    let result = try headlamp([word])
    #expect(result.exitCode == 0)
    #expect(result.output.wholeMatch(of: /headlamp \d+\.\d+\.\d+\n/) != nil, "\(result.output)")
  }

  @Test func anUnknownCommandIsMisuse() throws {
    let result = try headlamp(["frobnicate"])
    #expect(result.exitCode == 2)
    #expect(result.output.isEmpty)
    #expect(
      result.errors == "headlamp: there is no command 'frobnicate'; 'headlamp --help' lists them\n")
  }
}
