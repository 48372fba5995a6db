// Exhausted memory, files that ask for absurd amounts, and answers that are no numbers: one line and exit code 1, never a
// hang or a trace.

import Foundation
import TestSupport
import Testing

@Suite struct ExhaustionTests {
  static func path(_ name: String) -> String { packageFolder + "/Tests/EndToEndTests/Golden/" + name }

  /// Runs a line of bash, in which `$headlamp` is the command, and ends it after five minutes.
  static func bash(_ line: String, folder: String) throws -> (code: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["300", "/bin/bash", "-c", line]
    process.environment = ProcessInfo.processInfo.environment.merging(["headlamp": builtCommand.path]) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, text)
  }

  private func expectOneLine(_ errors: String, _ start: String, _ context: String) {
    let lines = errors.split(separator: "\n")
    #expect(lines.count == 1 && errors.contains(start), "\(context): \(errors)")
  }

  @Test(.disabled(if: isSanitized)) func everyLimitOnMemoryEndsWithALine() throws {
    try withTemporaryFolder { folder in
      var endings: Set<Int32> = []
      for megabytes in [60, 100, 150, 200, 250, 300, 350, 400, 500, 700] {
        for kind in ["-v", "-d"] {
          let (code, errors) = try Self.bash(
            "ulimit \(kind) \(megabytes * 1024); $headlamp explain example --output out\(megabytes)",
            folder: folder)
          endings.insert(code)
          // With too little, the system's loader cannot even start the program, and says so itself.
          guard code != 0, code != 127 else { continue }
          #expect(code == 1, "\(kind) \(megabytes): \(errors)")
          expectOneLine(errors, "headlamp: ", "\(kind) \(megabytes)")
        }
      }
      #expect(endings.isSuperset(of: [0, 1]), "\(endings)")
    }
  }

  @Test(.disabled(if: isSanitized)) func anyAllocationMayFail() throws {
    try withSmallModel { folder, model in
      let commands = [
        ["explain", "example", "--output", "out"],
        ["record", "induction", "--model", model, "--examples", "20", "--output", "r.h5"],
        ["attribute", "induction", "--model", model, "--examples", "20", "--output", "paths"],
      ]
      for words in commands {
        for number in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
          let result = try headlamp(
            words, environment: ["HEADLAMP_FAULTS": "memory@\(number)"], folder: folder)
          guard result.exitCode != 0 else { continue }
          #expect(result.exitCode == 1, "\(words[0]), \(number): \(result.errors)")
          expectOneLine(result.errors, "headlamp: memory ran out: ", "\(words[0]), \(number)")
        }
        #expect(try headlamp(words, folder: folder).exitCode == 0)
      }
    }
  }

  @Test(arguments: [
    ("n_layer", "1000000000", "asks for 1000000000 n_layer than the 10000 that are allowed"),
    ("n_layer", "9000", "has no tensor 'transformer.h.2.ln_1.weight'"),
    ("vocab_size", "4294967297", "--limit size="),
    ("n_positions", "2147483648", ""), ("n_embd", "3000000000", ""), ("n_inner", "2000000000", ""),
    ("n_head", "1000000000", ""), ("vocab_size", "4000000000", ""),
  ])
  func aConfigurationThatAsksForTooMuch(option: String, value: String, sentence: String) throws {
    try withSmallModel { folder, model in
      let path = model + "/config.json"
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let pattern = try Regex("\"\(option)\": *[0-9]+")
      try #require(text.contains(pattern), "\(text)")
      try text.replacing(pattern, with: "\"\(option)\": \(value)").write(
        toFile: path, atomically: true, encoding: .utf8)
      for words in ["record induction --output r.h5", "inspect"] {
        let (code, errors) = try Self.bash(
          "$headlamp \(words) \(words == "inspect" ? "model" : "--model model")", folder: folder)
        // `inspect` reads no weights, and may have nothing to refuse.
        if words == "inspect", code == 0 { continue }
        #expect(code == 1, "\(words): \(errors)")
        expectOneLine(errors, "headlamp: ", words)
        if words != "inspect", !sentence.isEmpty { #expect(errors.contains(sentence), "\(errors)") }
      }
    }
  }

  @Test func aTextThatUnpacksToAGigabyte() throws {
    try withTemporaryFolder { folder in
      let (code, errors) = try Self.bash(
        "(echo a,y; yes 1,0 | head -c 1000000000) | gzip -1 > bomb.csv.gz; "
          + "$headlamp fit bomb.csv.gz --target y --limit unpacked=64M", folder: folder)
      #expect(code == 1)
      expectOneLine(
        errors,
        "bomb.csv.gz asks for more decompressed text than the 64 MiB that are allowed; '--limit unpacked=N' allows more",
        "")
      guard !isSanitized else { return }
      let (second, said) = try Self.bash(
        "ulimit -v 600000; $headlamp fit bomb.csv.gz --target y", folder: folder)
      #expect(second == 1)
      expectOneLine(said, "headlamp: ", "")
    }
  }

  @Test func answersThatAreNoNumbersAreRefused() throws {
    try withTemporaryFolder { folder in
      let (code, errors) = try Self.bash(
        "$headlamp explain \(Self.path("not-a-number.csv")) --target over "
          + "--black-box \(Self.path("not-a-number.onnx")) --row 1 --top 2", folder: folder)
      #expect(code == 1)
      expectOneLine(
        errors, "not-a-number.onnx gives no predictions: for row 1 of those asked, a prediction is ", "")
    }
  }

  @Test func limitsAreListedAndSet() throws {
    let listed = try headlamp(["limits"])
    #expect(listed.exitCode == 0)
    for name in ["memory", "unpacked", "nesting", "layers"] { #expect(listed.output.contains(name)) }
    let set = try headlamp(["limits", "--json", "--limit", "layers=20000,memory=1G"])
    #expect(set.output.contains("\"layers\": 20000") && set.output.contains("\"memory\": 1073741824"))
    for wrong in ["layers", "layers=0", "layer=3", "nesting=100000", "layers=2K"] {
      let result = try headlamp(["limits", "--limit", wrong])
      #expect(result.exitCode == 2 && result.errors.contains("--limit wants NAME=VALUE"))
    }
  }
}
