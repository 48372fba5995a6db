// Tables and models as they come, each of one kind that is easily read wrongly: Cases/ holds made-up ones, and what the
// models' own libraries say of them (`*_says.csv`).

import Foundation
import TestSupport
import Testing

@Suite struct TableCaseTests {
  static let folder = packageFolder + "/Tests/EndToEndTests/Cases"

  /// Runs `headlamp` in the folder of a case.
  static func run(_ name: String, _ words: [String]) throws -> CommandResult {
    try headlamp(words, folder: folder + "/" + name)
  }

  static func summary(_ folder: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/summary.json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  static let tables: [String] =
    (try? FileManager.default.contentsOfDirectory(atPath: folder + "/tables"))?.sorted() ?? []

  /// With no option but the target, what decides is found.
  @Test(arguments: tables)
  func aTableIsUnderstood(name: String) throws {
    let target =
      name == "all-text-no-header.csv" ? "column3" : name == "many-categories.csv" ? "mpg" : "target"
    try withTemporaryFolder { out in
      let result = try Self.run(
        "tables", ["explain", name, "--target", target, "--refits", "0", "--output", out])
      #expect(result.exitCode == 0, "\(result.errors)")
      let blackBox = try #require(try Self.summary(out)["black_box"] as? [String: Any])
      let measure = name == "many-categories.csv" ? "r2" : "accuracy"
      let value = try #require((blackBox[measure] as? [String: Double])?["value"])
      #expect(value > (measure == "r2" ? 0.9 : 0.85), "\(name): \(value)\n\(result.output)")
    }
  }

  /// Every row explained, against what the model's own library says of it.
  @Test(arguments: [
    ("xgboost-integer-categories", "xgboost_says.csv", []), ("xgboost34-dart", "xgboost_says.csv", []),
    ("xgboost-early-stopping", "xgbclassifier_says.csv", []),
    ("missing-number-ignored", "xgboost_says.csv", ["--missing=-999"]),
  ])
  func aModelSaysWhatItSays(name: String, says: String, options: [String]) throws {
    try withTemporaryFolder { out in
      let result = try Self.run(
        "explain/" + name,
        ["predict", "table.csv", "--target", "y", "--black-box", "model.json", "--output", out + "/p.csv"]
          + options)
      #expect(result.exitCode == 0, "\(result.errors)")
      func numbers(_ path: String, _ column: String) throws -> [Double] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
          $0.split(separator: ",")
        }
        let place = try #require(lines[0].firstIndex(of: column[...]))
        return lines.dropFirst().map { Double($0[place]) ?? .nan }
      }
      let found = try numbers(out + "/p.csv", "probability_1")
      let expected = try numbers(Self.folder + "/explain/" + name + "/" + says, "p1")
      #expect(found.count == expected.count)
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  /// What a run must say.
  @Test(arguments: [
    (
      "class-order", ["explain", "table.csv", "--black-box", "model.json"],
      ["--classes low,mid,high", "0 for high, 1 for low"]
    ),
    (
      "class-order", ["explain", "table.csv", "--black-box", "model.json", "--classes", "low,mid,high"],
      ["accuracy 1.000"]
    ),
    ("boolean-columns", ["explain", "table.csv", "--black-box", "model.json"], ["accuracy 1.000"]),
    ("currency", ["explain", "currency.csv"], ["numbers with a currency: price", "price"]),
    ("percent", ["explain", "percent.csv"], ["numbers with percent: price"]),
    ("decimal-comma", ["explain", "decimal_comma.csv"], ["numbers with decimal commas: price, noise"]),
    ("thousands-separator", ["explain", "thousands.csv"], ["numbers with marks between thousands: price"]),
    ("dates", ["explain", "date_dmy.csv"], ["dates or times: day", "/2023"]),
    ("dates", ["explain", "date_iso.csv"], ["dates or times: day", "2023-"]),
    ("pipe-separated", ["describe", "pipe.csv"], ["cells parted by bars"]),
    ("unnamed-index", ["explain", "index_sorted.csv"], ["left out as row numbers: Unnamed: 0"]),
    (
      "unseen-category-bias", ["explain", "table.csv"],
      ["left out as texts that are nearly all different: model name"]
    ),
    ("outlier-r2", ["explain", "outlier.csv"], ["no better than always saying the mean"]),
    (
      "lightgbm-renamed-columns", ["explain", "table.csv", "--black-box", "model.txt"],
      ["'age_group' is 'age group'", "accuracy 0.9"]
    ),
    ("onnx-1d-matmul", ["explain", "ongamma.csv", "--black-box", "on_gamma.onnx"], ["on_gamma.onnx, given"]),
    (
      "onnx-column-transformer", ["explain", "onct.csv", "--black-box", "on_ct.onnx"],
      ["'col_our' is 'col our'"]
    ),
    (
      "onnx-int64-input", ["explain", "onint64.csv", "--black-box", "on_int64.onnx"], ["on_int64.onnx, given"]
    ),
    ("regressor-on-counts", ["explain", "table.csv", "--black-box", "model.json"], ["(a quantity)"]),
    (
      "unlabelled-table", ["explain", "two-of-three-classes.csv", "--black-box", "model.json"],
      ["(3 classes)"]
    ),
    (
      "poisson-contributions", ["explain", "poisson.csv", "--black-box", "m_poisson.json"],
      ["in logarithms of y", "as y: from"]
    ),
    (
      "program-numeric-header", ["explain", "imb.csv", "--black-box-command", "python3 prog.py"],
      ["python3 prog.py, given"]
    ),
    ("unix-seconds-printed", ["explain", "ts.csv"], ["ts ≤ 17000000"]),
    ("unix-seconds-printed", ["explain", "ymd.csv"], ["day > 202306"]),
    ("tiny-jaccard", ["explain", "tiny10.csv"], ["refits to redrawn rows"]),
    ("binary-formats", ["describe", "t.arff"], ["300 rows × 3 features"]),
    ("binary-formats", ["describe", "t.jsonl"], ["300 rows × 3 features"]),
    ("binary-formats", ["describe", "t.libsvm"], ["300 rows × 3 features"]),
    ("binary-formats", ["describe", "t.zip"], ["300 rows × 3 features"]),
  ])
  func aCaseSaysSo(name: String, words: [String], sentences: [String]) throws {
    let quick = words[0] == "explain" && name != "tiny-jaccard" ? ["--refits", "0"] : []
    let result = try Self.run("explain/" + name, words + quick)
    #expect(result.exitCode == 0, "\(result.errors)")
    for sentence in sentences { #expect(result.output.contains(sentence), "\(sentence)\n\(result.output)") }
  }

  @Test(arguments: [
    ("binary-formats", ["explain", "t.parquet"], "t.parquet is a Parquet file; write it out as CSV first"),
    ("binary-formats", ["explain", "t.xlsx"], "t.xlsx is an Excel workbook; save the sheet as CSV"),
    ("one-row-of-a-class", ["explain", "one_other.csv"], "all but one row of 'bought' are '0'"),
  ])
  func aCaseIsRefusedInOneLine(name: String, words: [String], sentence: String) throws {
    let result = try Self.run("explain/" + name, words)
    #expect(result.exitCode == 1)
    #expect(result.errors.contains(sentence), "\(result.errors)")
    #expect(result.errors.split(separator: "\n").count == 1)
  }

  /// "or missing" cannot be taken for a part of the next condition.
  @Test func orMissingStandsInBrackets() throws {
    try withTemporaryFolder { out in
      _ = try Self.run("explain/or-missing-and", ["explain", "table.csv", "--refits", "0", "--output", out])
      let rules = try String(contentsOfFile: out + "/rules.csv", encoding: .utf8)
      #expect(rules.contains("or missing)"))
      for part in rules.split(separator: "\n") where part.contains(" or missing") {
        #expect(!part.contains(" or missing and"), "\(part)")
      }
      #expect(rules.contains("or_missing"))
    }
  }

  /// A table without its target, and a model that is all that is asked.
  @Test func aTableWithoutATarget() throws {
    try withTemporaryFolder { out in
      let path = Self.folder + "/explain/unlabelled-table/"
      let lines = try String(contentsOfFile: path + "two-of-three-classes.csv", encoding: .utf8).split(
        separator: "\n")
      let cut = lines.map { $0.split(separator: ",").prefix(2).joined(separator: ",") }.joined(
        separator: "\n")
      try cut.write(toFile: out + "/t.csv", atomically: true, encoding: .utf8)
      let result = try headlamp(
        ["explain", "t.csv", "--black-box", path + "model.json", "--refits", "0", "--row", "2"], folder: out)
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("the table has no target: what the model predicts stands in for it"))
    }
  }
}
