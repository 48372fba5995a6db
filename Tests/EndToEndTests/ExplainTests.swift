// The built `headlamp explain` on the example, on small tables, and on input it cannot take.

import Foundation
import TestSupport
import Testing

@Suite struct ExplainTests {
  /// What every explanation leaves.
  static let fileNames = [
    "calibration.csv", "counterfactuals.csv", "explanations.csv", "groups.csv", "importance.csv",
    "report.html",
    "rules.csv", "summary.json", "surrogate.json",
  ]
  /// What is left too where the black box answers new rows.
  static let effectNames = ["effects.csv", "individual-effects.csv", "what-if.json"]
  /// And where it is made of trees.
  static let treeNames = ["held-out-contributions.csv"]

  /// A table in a file of its own.
  static func run(
    _ table: String, _ options: [String] = [], name: String = "t.csv"
  ) throws -> (result: CommandResult, files: [String]) {
    try withTemporaryFolder { folder in
      try table.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
      let result = try headlamp(["explain", name, "--output", "out"] + options, folder: folder)
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/out")) ?? []
      return (result, files.sorted())
    }
  }

  @Test func theExampleNamesItsRule() throws {
    try withTemporaryFolder { folder in
      let result = try headlamp(["explain", "example", "--rows", "2,5", "--output", folder + "/a"])
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("because"))
      #expect(result.output.contains("instead"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/a").sorted()
          == (Self.fileNames + Self.effectNames + Self.treeNames + ["confusion.csv", "interactions.csv"])
          .sorted())
      let importance = try String(contentsOfFile: folder + "/a/importance.csv", encoding: .utf8)
      let top = importance.split(separator: "\n")[1...3].map { String($0.split(separator: ",")[1]) }
      #expect(Set(top) == ["light", "soil", "water"])
      // The same seed gives the same bytes.
      _ = try headlamp(["explain", "example", "--rows", "2,5", "--output", folder + "/b"])
      for name in Self.fileNames {
        #expect(
          FileManager.default.contents(atPath: folder + "/a/" + name)
            == FileManager.default.contents(atPath: folder + "/b/" + name), "\(name)")
      }
    }
  }

  @Test func summaryNamesItsMeasures() throws {
    try withTemporaryFolder { folder in
      _ = try headlamp(["explain", "example", "--black-box", "forest", "--seed", "3", "--output", folder])
      let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/summary.json"))
      let summary = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      #expect(summary["schema_version"] as? Int == 1)
      #expect(summary["seed"] as? String == "3")
      let blackBox = try #require(summary["black_box"] as? [String: Any])
      for name in ["accuracy", "balanced_accuracy", "mcc", "macro_f1", "roc_auc", "brier_score", "log_loss"] {
        let measure = try #require(blackBox[name] as? [String: Double], "\(name)")
        #expect(try #require(measure["low"]) <= #require(measure["high"]))
      }
      let surrogate = try #require(summary["surrogate"] as? [String: Any])
      #expect((surrogate["r2"] as? [String: Double])?["value"] ?? 0 > 0.7)
      let found = try #require(summary["counterfactuals"] as? [String: Any])
      #expect(found["validity"] as? Double == 1)
    }
  }

  /// Labels that nothing tells apart: whatever rule is found falls short of certainty, and says so.
  @Test func aRuleThatFallsShortSaysSo() throws {
    var table = "a,b,y\n"
    for row in 0..<160 { table += "\(row % 5),\(row % 3),\(row * 7919 % 13 < 6 ? "yes" : "no")\n" }
    try withTemporaryFolder { folder in
      try table.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      let result = try headlamp(
        ["explain", "t.csv", "--precision", "1", "--rows", "1,2,3,4", "--output", "out"], folder: folder)
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("no rule is sure to reach precision 1"), "\(result.output)")
      let lines = try String(contentsOfFile: folder + "/out/explanations.csv", encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
      let column = try #require(lines[0].firstIndex(of: "rule_is_sufficient"))
      #expect(lines.dropFirst().contains { $0[column] == "false" })
    }
  }

  @Test func aRegressionIsExplainedByBands() throws {
    var table = "a,b,y\n"
    for row in 0..<120 { table += "\(row % 12),\(row % 7),\(Double(row % 12) * 2.5 + 0.25)\n" }
    let (result, files) = try Self.run(table, ["--row", "3", "--task", "regression"])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("y >") || result.output.contains("y ≤"))
    // One feature decides all, so that there is no pair to look at.
    #expect(files == (Self.fileNames + Self.effectNames + Self.treeNames).sorted())
  }

  static let sound =
    "a,b,y\n" + (0..<60).map { "\($0 % 10),\($0 % 3),\($0 % 10 > 4 ? "yes" : "no")\n" }.joined()

  static let badInputs: [(table: String, options: [String], sentence: String)] = [
    ("a,b,y\n1,2,yes\n", [], "the table has one row; at least 8 are needed to fit and to hold some out"),
    (
      "a,b,y\n" + String(repeating: "1,2,yes\n", count: 20), [],
      "every row's 'y' is 'yes': there is nothing to tell apart"
    ),
    ("y\n" + String(repeating: "1\n", count: 20), [], "t.csv has no column besides the target"),
    (
      "a,y\n" + (0..<20).map { "5,\($0 % 2)\n" }.joined(), [],
      "no column varies: the one feature is constant or missing"
    ),
    (
      "a,b,y\n" + (0..<20).map { "3,,\($0 % 2)\n" }.joined(), [],
      "no column varies: the one feature is constant or missing"
    ),
    (
      "a,b,y\n" + (0..<20).map { ",,\($0 % 2)\n" }.joined(), [],
      "every column of t.csv besides the target is empty or tells every row from every other: 'a', 'b'"
    ),
    (
      "a,y\n" + (0..<40).map { "\($0 * 7 % 41),\($0 == 9 ? 1 : 0)\n" }.joined(), [],
      "all but one row of 'y' are '0': too few others"
    ),
    (sound, ["--missing", "77"], "--missing: no cell of t.csv is '77', so it has no effect"),
    (sound, ["--target", "z"], "t.csv has no column 'z'"),
    (sound, ["--row", "61"], "there is no row 61: the table has rows 1 to 60"),
    (sound, ["--row", "0"], "there is no row 0: the table has rows 1 to 60"),
    (sound, ["--rows", "1,x"], "--rows wants whole numbers from 1, separated by commas, not 'x'"),
    (sound, ["--row", "1", "--all"], "--row, --rows and --all exclude one another"),
    (sound, ["--black-box", "forrest"], "--black-box wants auto, forest"),
    (sound, ["--black-box", "missing.json"], "cannot read missing.json: No such file or directory"),
    (sound, ["--immutable", "c"], "--immutable: there is no feature 'c'"),
    (sound, ["--range", "a=9:1"], "--range wants a range like age=18:65, not 'a=9:1'"),
    (sound, ["--range", "a"], "--range wants a range like age=18:65, not 'a'"),
    (sound, ["--wanted", "perhaps"], "--wanted wants one of no, yes, not 'perhaps'"),
    (sound, ["--top", "0"], "--top wants 'auto' or a whole number from 1, not '0'"),
    (sound, ["--top", "3"], "--top 3: the table has 2 features"),
    (sound, ["--keep", "a"], "--keep"),
    (sound, ["--exclude", "a", "--categorical", "a"], "--categorical"),
    (sound, ["--target", "y", "--group", "y"], "--group names the target 'y'"),
    (sound, ["--target", "y", "--exclude", "y"], "--exclude names the target 'y'"),
    (sound, ["--leaves", "1"], "--leaves wants a whole number from 2, not '1'"),
    (sound, ["--precision", "2"], "--precision wants a share above 0, at most 1, not '2.0'"),
    (sound, ["--hold", "1"], "--hold wants a share between 0 and 1, not '1.0'"),
    (sound, ["--predictions", "p"], "t.csv has no column 'p'"),
    (sound, ["--black-box-command", "false"], "false"),
    (sound, ["--black-box", "forest", "--predictions", "a"], "exclude one another"),
  ]

  @Test(arguments: badInputs)
  func badInputIsExplained(table: String, options: [String], sentence: String) throws {
    let (result, files) = try Self.run(table, options)
    #expect(result.exitCode == 1 || result.exitCode == 2)
    #expect(result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    #expect(result.output.isEmpty)
    #expect(files.isEmpty)
  }

  @Test func predictionsOfTheTableAreExplained() throws {
    var table = "a,b,p,y\n"
    for row in 0..<80 {
      table += "\(row % 10),\(row % 3),\(row % 10 > 4 ? 0.9 : 0.2),\(row % 10 > 4 ? "yes" : "no")\n"
    }
    let (result, files) = try Self.run(table, ["--predictions", "p", "--row", "2"])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("predictions in the table"))
    #expect(result.output.contains("no change can be tried"))
    #expect(result.output.contains("a ≤ "))
    #expect(files == (Self.fileNames + ["confusion.csv"]).sorted())
  }

  @Test func rulesAndImportance() throws {
    let rules = try headlamp(["rules", "example", "--curve"])
    #expect(rules.exitCode == 0, "\(rules.errors)")
    #expect(rules.output.contains("soil is not clay"))
    #expect(rules.output.contains("← chosen"))
    let importance = try headlamp(["importance", "example"])
    #expect(importance.exitCode == 0, "\(importance.errors)")
    #expect(importance.output.contains("least important"))
  }
}
