// Models of many kinds and ages predict here what they predict at home, on a table whose values float32 merges:
// Golden/kinds.py wrote table, models and answers.

import Foundation
import Tables
import Tensors
import TestSupport
import Testing
import Trees

@testable import TabularExplainer

@Suite struct KindTests {
  static let folder = packageFolder + "/Tests/TabularExplainerTests/Golden/kinds"

  static func features(exact: Bool = true) throws -> Features {
    var options = TableOptions()
    options.excludedColumns = ["y", "y3", "quantity"]
    if exact { options.precision = .exact }
    return try Features(readingFrom: folder + "/table.csv", options: options)
  }

  static func says(_ file: String) throws -> [[Double]] {
    let text = try String(contentsOfFile: folder + "/" + file + ".says.csv", encoding: .utf8)
    return text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").map { Double($0) ?? .nan } }
  }

  static let models: [String] =
    (try? FileManager.default.contentsOfDirectory(atPath: folder))?
    .filter { !$0.hasSuffix(".csv") }.sorted() ?? []

  /// The columns that a model was fitted to, in its order.
  static func columns(_ file: String) -> [String] {
    if file.contains("categories") { return ["a", "seconds", "cents", "grade", "count", "colour"] }
    if file.contains("columns") || file.contains("ordinal") { return ["a", "count", "colour"] }
    if file.contains("whole-numbers") { return ["grade", "count"] }
    if file.contains("doubles") { return ["seconds", "cents"] }
    let few = ["sklearn", "catboost", "-linear", "hinge", "poisson", "linear-leaves"]
    return few.contains { file.contains($0) }
      ? ["a", "grade", "count"] : ["a", "seconds", "cents", "grade", "count"]
  }

  static func model(_ file: String) throws -> (model: ImportedModel, features: Features) {
    let all = try features()
    let places = columns(file).compactMap { all.names.firstIndex(of: $0) }
    let own = all.selecting(features: places)
    // The classes of the three-class models of XGBoost and CatBoost are numbers or names of their own.
    return (try ImportedModel(path: folder + "/" + file, ModelContext(table: own)), own)
  }

  @Test(arguments: models)
  func predictsWhatItsLibraryPredicts(file: String) throws {
    let (model, features) = try Self.model(file)
    let expected = try Self.says(file)
    let found = try model.blackBox.predict(features)
    #expect(found.shape == [expected.count, expected[0].count])
    guard found.count == expected.count * expected[0].count else { return }
    let difference =
      zip(found.values, expected.joined()).map { abs(Double($0) - $1) / max(1, abs($1)) }.max() ?? 0
    #expect(difference < (file.contains("vectors") ? 1e-4 : 2e-6), "\(file): \(difference)")
    if let trees = model.trees { #expect(try trees.predict(features) == found) }
  }

  @Test func thereAreModelsOfEveryKind() {
    #expect(Self.models.count >= 30, "\(Self.models)")
  }

  @Test func theRoundsThatCount() throws {
    let file = "new-xgboost-early.json"
    let features = try Self.model(file).features
    let usual = try Self.model(file).model
    guard case .rounds(let used, let total, let best)? = usual.remarks.last else {
      Issue.record("\(usual.remarks)")
      return
    }
    #expect(used == best && used < total)
    let all = try ModelFile(path: Self.folder + "/" + file).model(ModelContext(table: features, rounds: .all))
    #expect(
      try all.trees?.trees.count == total
        && all.blackBox.predict(features) != usual.blackBox.predict(features))
    #expect(throws: ModelFileError.self) {
      try ModelFile(path: Self.folder + "/" + file).model(
        ModelContext(table: features, rounds: .first(total + 1)))
    }
  }

  @Test func anUnknownFieldIsRefused() throws {
    let path = Self.folder + "/new-xgboost-dart.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let changed = text.replacingOccurrences(of: "\"tree_info\"", with: "\"tree_shrinkage\":[1],\"tree_info\"")
    #expect(changed != text)
    let expected = ModelFileError.unsupported(
      path: "x", format: .xgboostJSON, feature: "the field \"tree_shrinkage\", which is not known")
    #expect(throws: expected) { try ImportedModel(bytes: Array(changed.utf8), path: "x", ModelContext()) }
  }

  /// A model of our own, fitted to stand-ins of doubles, says the same of the rows in a table that has other ones.
  @Test func ownTreesKeepTheirDoubles() throws {
    let features = try Self.features(exact: false)
    #expect(features.scales.count == 2)
    let labels = (0..<features.rowCount).map {
      features.exactValue(features[$0, 1], of: 1) > 1_700_000_203 ? 1 : 0
    }
    let fitted = try TreeModel.boosted(.init()).fit(
      Table(features: features, target: .classes(labels, names: ["no", "yes"]), targetName: "late"))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let bytes = [UInt8](try encoder.encode(fitted.ensemble))
    let expected = try fitted.ensemble.predict(features)
    // Every second row, read as a table of its own: its stand-ins are others.
    let lines = try String(contentsOfFile: Self.folder + "/table.csv", encoding: .utf8).split(separator: "\n")
    let rows = stride(from: 1, to: lines.count, by: 2)
    try withTemporaryFolder { folder in
      let text = ([lines[0]] + rows.map { lines[$0] }).joined(separator: "\n")
      try text.write(toFile: folder + "/half.csv", atomically: true, encoding: .utf8)
      var options = TableOptions()
      options.excludedColumns = ["y", "y3", "quantity"]
      options.precision = .exact
      let half = try Features(readingFrom: folder + "/half.csv", options: options)
      let model = try ImportedModel(bytes: bytes, path: "x", ModelContext(table: half))
      let found = try model.blackBox.predict(half)
      for (place, row) in rows.enumerated() {
        #expect(found.row(place).values == expected.row(row - 1).values)
      }
    }
  }
}
