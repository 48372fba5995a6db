// The built commands on models, programs and files that do not do what they should.

import Foundation
import TestSupport
import Testing

@Suite struct ExplainInputTests {
  static let table =
    "a,b,y\n" + (0..<60).map { "\($0 % 10),\($0 % 7),\($0 % 10 > 4 ? "yes" : "no")\n" }.joined()

  /// Runs `headlamp` in a folder with t.csv and says what it left in out/.
  static func run(
    _ words: [String], files: [String: Data] = [:]
  ) throws -> (result: CommandResult, left: [String]) {
    try withTemporaryFolder { folder in
      try table.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      for (name, data) in files { try data.write(to: URL(fileURLWithPath: folder + "/" + name)) }
      let result = try headlamp(words, folder: folder)
      return (result, (try? FileManager.default.contentsOfDirectory(atPath: folder + "/out")) ?? [])
    }
  }

  static func expectFailure(
    _ words: [String], _ sentence: String, files: [String: Data] = [:], code: Int32 = 1
  ) throws {
    let (result, left) = try run(words + ["--output", "out"], files: files)
    #expect(result.exitCode == code)
    #expect(result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    #expect(result.output.isEmpty && left.isEmpty)
  }

  @Test(arguments: [
    ("sleep 60", ["--timeout", "0.5"], "'sleep 60' was still running after 0.5"),
    (
      "cat > /dev/null; echo 'out of memory' >&2; exit 3", [],
      "failed with exit code 3; its last words: out of memory"
    ),
    ("kill -9 $$", [], "was ended by signal 9"),
    ("cat > /dev/null; echo 0.5; echo 0.5", [], "answered 2 rows where"),
    ("cat > /dev/null; yes maybe | head -45", [], "holds 'maybe' where a number is needed"),
    ("/no/such/program", [], "could not be run (exit code 127)"),
  ])
  func aProgramThatFailsIsNamed(command: String, options: [String], sentence: String) throws {
    try Self.expectFailure(
      ["explain", "t.csv", "--shell", "--black-box-command", command] + options, sentence)
    try Self.expectFailure(
      ["importance", "t.csv", "--method", "permutation", "--shell", "--black-box-command", command] + options,
      sentence)
  }

  @Test func aProgramIsExplained() throws {
    let command = "awk -F, 'NR > 1 { print ($1 > 4 ? 0.9 : 0.2) }'"
    let (result, left) = try Self.run(
      ["explain", "t.csv", "--black-box-command", command, "--row", "3", "--output", "out"])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("a ≤ "))
    #expect(result.output.contains("stability"))
    #expect(Set(ExplainTests.fileNames + ExplainTests.effectNames).isSubset(of: left))
  }

  @Test func aModelOfFewerFeaturesThanTheTable() throws {
    try withTemporaryFolder { folder in
      try Self.table.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      for (kind, file) in [("forest", "m.json"), ("mlp", "m.safetensors")] {
        let fit = try headlamp(
          ["fit", "t.csv", "--exclude", "b", "--black-box", kind, "--folds", "0", "--output", file],
          folder: folder)
        #expect(fit.exitCode == 0, "\(fit.errors)")
        let explained = try headlamp(
          ["explain", "t.csv", "--black-box", file, "--row", "2", "--output", "out"], folder: folder)
        #expect(explained.exitCode == 0, "\(explained.errors)")
        let importance = try String(contentsOfFile: folder + "/out/importance.csv", encoding: .utf8)
        #expect(importance.contains("\n2,b,0.0,"), "\(kind): \(importance)")
      }
      // The other way round the missing column is named.
      let all = try headlamp(["fit", "t.csv", "--folds", "0", "--output", "all.json"], folder: folder)
      #expect(all.exitCode == 0, "\(all.errors)")
      let refused = try headlamp(
        ["explain", "t.csv", "--exclude", "b", "--black-box", "all.json", "--output", "none"], folder: folder)
      #expect(refused.exitCode == 1)
      #expect(
        refused.errors.contains("the table has no column 'b', which the model in all.json needs"),
        "\(refused.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/none"))
    }
  }

  @Test func textFarDownIsNamedByLineAndColumn() throws {
    var text = "a,b,y\n"
    for row in 0..<30_000 { text += "\(row &* 7 % 30_011),\(row % 7),\(row % 2)\n" }
    for row in 30_000..<30_200 { text += "oops,\(row % 7),\(row % 2)\n" }
    let (result, _) = try Self.run(["describe", "late.csv"], files: ["late.csv": Data(text.utf8)])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(
      result.output.contains("200 cells with 'oops' read as missing, first on line 30002"), "\(result.output)"
    )
  }

  @Test func aTruncatedArchiveIsNamed() throws {
    try withTemporaryFolder { folder in
      let whole = folder + "/whole.csv"
      try (0..<4000).map { "\($0),\($0 &* 7919 % 1013),\($0 % 2)\n" }.joined()
        .write(toFile: whole, atomically: true, encoding: .utf8)
      let gzip = Process()
      gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
      gzip.arguments = [whole]
      try gzip.run()
      gzip.waitUntilExit()
      let bytes = try Data(contentsOf: URL(fileURLWithPath: whole + ".gz"))
      try Self.expectFailure(
        ["explain", "cut.csv.gz"], "cut.csv.gz ends in the middle of its compressed data",
        files: ["cut.csv.gz": bytes.prefix(bytes.count / 2)])
    }
  }

  @Test func constantColumnsAndRepeatedNamesAreNoHindrance() throws {
    var text = "a,a,c,y\n"
    for row in 0..<120 { text += "\(row % 13),\(row % 7),5,\(row % 13 > 6 ? 1 : 0)\n" }
    let (result, left) = try Self.run(
      ["explain", "odd.csv", "--output", "out"], files: ["odd.csv": Data(text.utf8)])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("names used twice, numbered: a"))
    #expect(Set(ExplainTests.fileNames + ExplainTests.effectNames).isSubset(of: left))
  }

  /// A program declares every column, also those that need no option; a person's needless option is told.
  @Test func columnsMayBeNamedAsDeclared() throws {
    let text = "a,b,y\n" + (0..<60).map { "\($0 % 10),\($0 % 7),\($0 % 10 > 4 ? "yes" : "no")\n" }.joined()
    let words = ["fit", "t.csv", "--folds", "0", "--keep", "a"]
    let files = ["t.csv": Data(text.utf8)]
    let (needless, _) = try Self.run(words, files: files)
    #expect(needless.exitCode == 2 && needless.errors.contains("'a' is kept anyway"))
    let (declared, _) = try Self.run(words + ["--as-declared"], files: files)
    #expect(declared.exitCode == 0, "\(declared.errors)")
    let (alone, _) = try Self.run(["fit", "t.csv", "--folds", "0", "--as-declared"], files: files)
    #expect(alone.exitCode == 2 && alone.errors.contains("--as-declared goes with --keep or --categorical"))
  }

  /// A model fitted to months and days of the week finds them again, in a table of one row as well.
  @Test func partsOfDatesAreMadeForAModelThatKnowsThem() throws {
    var text = "when,x,y\n"
    for row in 0..<200 {
      let (month, day, x) = (row * 7 % 12 + 1, row * 11 % 28 + 1, row * 37 % 100)
      text +=
        "2021-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day),\(x),"
        + "\((month > 6) != (x > 80) ? "yes" : "no")\n"
    }
    try withTemporaryFolder { folder in
      try text.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      try "when,x\n2021-09-03,20\n".write(toFile: folder + "/one.csv", atomically: true, encoding: .utf8)
      for words in [
        ["fit", "t.csv", "--black-box", "boosted", "--folds", "0", "--output", "m.json"],
        ["predict", "t.csv", "--target", "y", "--black-box", "m.json", "--output", "all.csv"],
        ["predict", "one.csv", "--black-box", "m.json", "--output", "one-predicted.csv"],
        ["explain", "t.csv", "--black-box", "m.json", "--row", "3"],
      ] {
        let result = try headlamp(words, folder: folder)
        #expect(result.exitCode == 0, "\(words): \(result.errors)")
      }
      let one = try String(contentsOfFile: folder + "/one-predicted.csv", encoding: .utf8)
      #expect(one.split(separator: "\n").last?.hasPrefix("1,yes,") == true, "\(one)")
    }
  }

  @Test(arguments: [["--no-report"], ["--figures", "svg"]])
  func optionsOfAPageThatIsNotWrittenAreTold(words: [String]) throws {
    let result = try headlamp(["explain", "example"] + words)
    #expect(result.exitCode == 2 && result.output.isEmpty)
    #expect(result.errors == "headlamp: \(words[0]) has no effect without --output\n")
  }

  /// Lists of columns are written as a row of CSV: commas in quotes, quotes doubled.
  @Test func columnNamesMayHoldCommasAndQuotes() throws {
    let rows = (0..<60).map { "\($0 % 10),\($0 % 7),\($0 % 3),\($0 % 10 > 4 ? "yes" : "no")\n" }.joined()
    let table = Data(("\"size, \"\"cm\"\"\",5\" pipe,c,y\n" + rows).utf8)
    for names in [#""size, ""cm""""#, #"5" pipe"#, #""size, ""cm""",5" pipe"#, #""5"" pipe", c"#] {
      let (result, _) = try Self.run(
        ["fit", "t.csv", "--folds", "0", "--exclude", names], files: ["t.csv": table])
      #expect(result.exitCode == 0, "\(names): \(result.errors)")
    }
    let (missing, _) = try Self.run(
      ["fit", "t.csv", "--folds", "0", "--exclude", #""size, cm"#], files: ["t.csv": table])
    #expect(missing.exitCode == 1 && missing.errors.contains("no column 'size, cm'"), "\(missing.errors)")
  }

  @Test func aHeaderCanBeSaidNotToBeThere() throws {
    let text = (0..<60).map { "\($0 % 10),\($0 % 7),\($0 % 10 > 4 ? "yes" : "no")\n" }.joined()
    let (result, _) = try Self.run(
      ["fit", "bare.csv", "--header", "none", "--target", "column3", "--folds", "0"],
      files: ["bare.csv": Data(text.utf8)])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("60 rows × 2 features"))
  }

  @Test(arguments: [
    (["fit", "t.csv", "--black-box", "mlp", "--depth", "3"], "--depth is for trees, and mlp is a network"),
    (
      ["fit", "t.csv", "--black-box", "cae-san", "--feature-share", "0.3"],
      "--feature-share is for trees, and cae-san is a network"
    ),
    (
      ["fit", "t.csv", "--black-box", "forest", "--bins", "9"],
      "--bins is for boosted trees, and forest has no use for it"
    ),
    (
      ["fit", "t.csv", "--black-box", "boosted", "--learning-rate", "1.5"],
      "--learning-rate wants a number above 0, at most 1"
    ),
    (
      ["fit", "t.csv", "--black-box", "forest", "--learning-rate", "0.1"],
      "--learning-rate is for boosted trees, and forest has no use for it"
    ),
    (
      ["fit", "t.csv", "--black-box", "boosted", "--row-share", "0"],
      "--row-share wants a number above 0, at most 1"
    ),
    (
      ["fit", "t.csv", "--black-box", "boosted", "--leaf-weight", "0"], "--leaf-weight wants a number above 0"
    ),
    (["fit", "t.csv", "--folds", "1"], "--folds wants 0, or a number from 2"),
    (["explain", "t.csv", "--timeout", "9"], "--timeout has no effect without --black-box-command"),
    (["explain", "t.csv", "--rounds", "9"], "--rounds has no effect without a model file"),
    (["explain", "t.csv", "--classes", "no,yes"], "--classes has no effect without a given model"),
    (["explain", "example", "--exclude", "soil"], "--exclude has no effect on the table 'example'"),
    (["importance", "t.csv", "--rows", "9"], "--rows has no effect without --method"),
    (["importance", "t.csv", "--method", "shap", "--leaves", "9"], "--leaves has no effect with --method"),
    (["importance", "t.csv", "--json", "--most", "9"], "--most has no effect with --json"),
    (
      ["importance", "t.csv", "--method", "shap", "--correlated", "0.9"],
      "--correlated goes with --method permutation"
    ),
    (
      ["importance", "t.csv", "--method", "impurity", "--row", "2"],
      "--method impurity says nothing of a single row"
    ),
    (["importance", "t.csv", "--correlated", "2"], "--correlated wants a correlation above 0, at most 1"),
    (
      ["explain", "t.csv", "--black-box-command", "cat", "--timeout", "0"],
      "--timeout wants a number of seconds above 0"
    ),
  ])
  func misuseIsExplained(words: [String], sentence: String) throws {
    try Self.expectFailure(words, sentence, code: 2)
  }
}
