// The built command on a quantised table: fitted, explained, and misused.

import Foundation
import TestSupport
import Testing

@Suite struct QuantiseCommandTests {
  private static let table: String = {
    var lines = ["height,kind,price,sold"]
    for row in 0..<3000 {
      let (height, price) = (row * 37 % 101, row * 61 % 89)
      let kind = ["oak", "elm", "ash"][row % 3]
      lines.append(
        "\(height),\(kind),\(price),\((height > 50) != (kind == "elm" && price > 40) ? "yes" : "no")")
    }
    return lines.joined(separator: "\n") + "\n"
  }()

  private static func inFolder(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try table.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      let result = try headlamp(["quantise", "t.csv", "--output", "t.safetensors"], folder: folder)
      #expect(result.exitCode == 0 && result.output.contains("3000 rows × 3 features"), "\(result.errors)")
      try body(folder)
    }
  }

  @Test func fittedExplainedAndRanked() throws {
    try Self.inFolder { folder in
      let fit = try headlamp(["fit", "t.safetensors", "--output", "m.json", "--trees", "20"], folder: folder)
      #expect(fit.exitCode == 0 && fit.output.contains("roc auc 1.000"), "\(fit.output)\(fit.errors)")
      let explain = try headlamp(
        ["explain", "t.safetensors", "--black-box", "m.json", "--refits", "0", "--output", "why"],
        folder: folder)
      #expect(explain.exitCode == 0 && explain.output.contains("because"), "\(explain.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/why/report.html"))
      let own = try headlamp(["explain", "t.safetensors", "--refits", "0"], folder: folder)
      #expect(
        own.output.contains("boosted, fitted to all rows of the file but those held out"),
        "\(own.output)\(own.errors)")
      let ranking = try headlamp(["importance", "t.safetensors", "--method", "shap"], folder: folder)
      #expect(ranking.exitCode == 0 && ranking.output.contains("height"), "\(ranking.errors)")
    }
  }

  @Test(arguments: [
    (["fit", "t.safetensors", "--folds", "3"], "a fifth of its rows is held out"),
    (["fit", "t.safetensors", "--target", "price"], "--target has no effect on a quantised table"),
    (["fit", "t.safetensors", "--black-box", "forest"], "is for --black-box boosted"),
    (["fit", "t.safetensors", "--row-share", "0.5"], "--row-share is not for quantised tables"),
    (["explain", "t.safetensors", "--exclude", "price"], "--exclude has no effect on a quantised table"),
    (["quantise", "t.csv", "--output", "q", "--bins", "256"], "--bins wants 2 to 255"),
    (["quantise", "t.csv", "--output", "q", "--sample", "10"], "--sample wants at least 100"),
    (["quantise", "t.csv"], "--output"),
    (["quantise", "t.csv", "--output", "t.csv"], "--output t.csv would replace t.csv, which is read"),
    (["fit", "t.csv", "--output", "./t.csv"], "would replace t.csv"),
    (
      ["predict", "t.csv", "--black-box", "t.safetensors", "--output", "t.safetensors"],
      "would replace t.safetensors"
    ),
  ])
  func misuseIsSaid(words: [String], sentence: String) throws {
    try Self.inFolder { folder in
      let result = try headlamp(words, folder: folder)
      #expect(result.exitCode == 2 && result.errors.contains(sentence), "\(result.errors)")
      #expect(try String(contentsOfFile: folder + "/t.csv", encoding: .utf8) == Self.table)
    }
  }

  @Test func otherCommandsNameTheFile() throws {
    try Self.inFolder { folder in
      let result = try headlamp(["describe", "t.safetensors"], folder: folder)
      #expect(result.exitCode == 1 && result.errors.contains("a safetensors file"), "\(result.errors)")
    }
  }

  @Test func nothingIsLeftOfATableThatCannotBeRead() throws {
    try withTemporaryFolder { folder in
      var lines = Self.table.split(separator: "\n").map(String.init)
      lines[2000] = "1,2"
      try lines.joined(separator: "\n").write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      let result = try headlamp(["quantise", "t.csv", "--output", "t.safetensors"], folder: folder)
      #expect(result.exitCode == 1 && result.errors.contains("line 2001"), "\(result.errors)")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(left == ["t.csv"])
    }
  }
}
