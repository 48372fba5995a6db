// What files may ask for.

import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct LimitTests {
  @Test func valuesAreReadAsTheyAreTyped() {
    #expect(Limit.memory.parse("8G") == 8 << 30)
    #expect(Limit.memory.parse("512m") == 512 << 20)
    #expect(Limit.memory.parse("1234") == 1234)
    #expect(Limit.layers.parse("20000") == 20_000)
    for text in ["", "0", "-1", "G", "8X", "1e3", "99999999999999999999", "9000000000G"] {
      #expect(Limit.memory.parse(text) == nil, "\(text)")
    }
    #expect(Limit.layers.parse("2K") == nil)
    #expect(Limit.nesting.parse("1000000") == nil)
  }

  @Test func everyLimitHasAMeaningAndAValue() {
    for limit in Limit.allCases {
      #expect(limit.standard > 0 && limit.standard <= limit.highest)
      #expect(!limit.meaning.isEmpty)
    }
  }

  /// A gzip file of `count` zero bytes, made by Python's zlib through the gzip program.
  private func gzip(_ bytes: Data, in folder: String) throws -> Data {
    let path = folder + "/plain"
    try bytes.write(to: URL(fileURLWithPath: path))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-9", "-f", path]
    try process.run()
    process.waitUntilExit()
    return try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
  }

  @Test func whatUnpacksToMoreThanTheLimitIsRefused() throws {
    try withTemporaryFolder { folder in
      let packed = try gzip(Data(count: 32 << 20), in: folder)
      #expect(packed.count < 64 << 10)
      let path = folder + "/plain.gz"
      #expect(try gunzip(MappedFile(path: path)).count == 32 << 20)
      #expect(
        throws: FileError.overLimit(path: path, limit: .unpacked, asked: nil, of: "decompressed text")
      ) { try gunzip(MappedFile(path: path), limit: 8 << 20) }
    }
  }

  @Test func aDamagedSecondMemberIsNotLeftOut() throws {
    try withTemporaryFolder { folder in
      let one = try gzip(Data("a,b\n1,2\n".utf8), in: folder)
      let two = try gzip(Data("3,4\n".utf8), in: folder)
      let path = folder + "/both.gz"
      func unpacked(_ bytes: Data) throws -> [UInt8] {
        try bytes.write(to: URL(fileURLWithPath: path))
        return try gunzip(MappedFile(path: path))
      }
      #expect(try unpacked(one + two) == Array("a,b\n1,2\n3,4\n".utf8))
      #expect(try unpacked(one + Data(count: 512)) == Array("a,b\n1,2\n".utf8))
      var damaged = two
      damaged[0] = 0x1e
      #expect(throws: FileError.self) { try unpacked(one + damaged) }
      #expect(throws: FileError.self) { try unpacked(one + Data(count: 3) + two) }
      for place in one.indices {
        var changed = one
        changed[place] ^= 0x10
        // The name, time and system of the header say nothing about the text.
        if let text = try? unpacked(changed) { #expect(text == Array("a,b\n1,2\n".utf8), "byte \(place)") }
      }
    }
  }

  @Test func nestingIsLimited() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONValue(parsing: nested(255))
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(300)) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: nested(1_000_000)) }
  }

  /// Limits belong to the process, so this test has one of its own.
  @Test func nestingCanBeRaised() async {
    await #expect(processExitsWith: .success) {
      Limit.nesting.set(Limit.nesting.highest)
      let depth = Limit.nesting.highest - 1
      _ = try JSONValue(
        parsing: String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
    }
  }
}

@Suite struct LostMapTests {
  @Test(.disabled(if: isSanitized)) func aFileThatBecomesShorterIsNamed() async throws {
    let result = try await #require(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      let path = FileManager.default.temporaryDirectory.appendingPathComponent("lost-\(UUID().uuidString)")
        .path
      try writeFile(String(repeating: "x", count: 1 << 20), to: path)
      explainLostMaps()
      let file = try MappedFile(path: path)
      truncate(path, 4096)
      unlink(path)
      var sum = 0
      for byte in file.bytes { sum += Int(byte) }
      print(sum)
    }
    let said = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(said.contains("became shorter while it was read"), "\(said)")
    #expect(said.contains("/lost-"), "\(said)")
  }
}

@Suite struct CommandWordsTests {
  @Test(arguments: [
    ("python3 predict.py", ["python3", "predict.py"]), ("  a  'b c' d\\ e ", ["a", "b c", "d e"]),
    ("awk 'NR > 1 { print $1 }'", ["awk", "NR > 1 { print $1 }"]),
    ("a \"b \\\" c\" ''", ["a", "b \" c", ""]),
    ("x=1 y", ["x=1", "y"]), ("a\"b\"c", ["abc"]), ("a '\\n'", ["a", "\\n"]),
  ])
  func linesAreSplitAsAShellWould(line: String, words: [String]) throws {
    #expect(try commandWords(line) == words)
  }

  @Test func whatNeedsAShellIsSaid() {
    for (line, character) in [
      ("a | b", "|"), ("a > b", ">"), ("a; b", ";"), ("echo $HOME", "$"), ("a \"$x\"", "$"), ("a *", "*"),
      ("a & b", "&"), ("a `b`", "`"), ("~/a", "~"),
    ] as [(String, Character)] {
      #expect(throws: CommandLineProblem.needsShell(character)) { try commandWords(line) }
    }
    #expect(throws: CommandLineProblem.openQuote) { try commandWords("a 'b") }
    #expect(throws: CommandLineProblem.empty) { try commandWords("  ") }
  }
}
