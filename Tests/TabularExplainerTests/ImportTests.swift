// Models of other libraries predict here what they predict at home: Golden/imports.py wrote the models and numbers.

import Foundation
import Tables
import Tensors
import TestSupport
import Testing
import Trees

@testable import TabularExplainer

/// What Golden/imports.py notes beside the models.
struct ImportGolden: Decodable {
  let names: [String]
  let categories: [String]
  /// 24 rows with missing cells.
  let rows: [[Float?]]
  /// 24 rows without.
  let plain: [[Float?]]
  let predictions: [String: [[Double]]]

  static let folder = packageFolder + "/Tests/TabularExplainerTests/Golden/imports"

  static func load() throws -> ImportGolden {
    try JSONDecoder().decode(
      ImportGolden.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/expected.json")))
  }

  /// Predictions of the models that XGBoost 1.7.6 made.
  static func older() throws -> [String: [[Double]]] {
    struct Older: Decodable { let predictions: [String: [[Double]]] }
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/expected-xgboost-1.7.json"))
    return try JSONDecoder().decode(Older.self, from: data).predictions
  }

  /// The rows as features; `grade` as text where the model was given text.
  func features(plain: Bool, gradeIsText: Bool) -> Features {
    let cells = plain ? self.plain : rows
    var kinds = [FeatureKind](repeating: .numeric, count: 6)
    if gradeIsText { kinds[4] = .categorical(categories) }
    return Features(
      names: names, kinds: kinds, rowCount: cells.count,
      values: (0..<6).flatMap { column in cells.map { $0[column] ?? .nan } })
  }

  static func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file)))
  }
}

@Suite struct ImportTests {
  static func largestDifference(_ file: String, _ expected: [[Double]], _ golden: ImportGolden) throws
    -> Double
  {
    let isText = file.contains("categories") && !file.contains("1.7")
    // scikit-learn's models were asked about rows without gaps, but for those that know missing cells.
    let isPlain = file.hasPrefix("onnx") && !file.contains("hist") && !file.contains("imputed")
    let features = golden.features(plain: isPlain, gradeIsText: isText)
    let model = try ImportedModel(
      path: ImportGolden.folder + "/" + file, ModelContext(featureNames: golden.names))
    let result = try model.blackBox.predict(features)
    #expect(result.shape == [expected.count, expected[0].count], "\(file)")
    if let trees = model.trees { #expect(try trees.predict(features) == result, "\(file)") }
    guard result.count == expected.count * expected[0].count else { return .infinity }
    return zip(result.values, expected.joined()).map { abs(Double($0) - $1) / max(1, abs($1)) }.max() ?? 0
  }

  @Test func everyModelPredictsWhatItsLibraryPredicts() throws {
    let golden = try ImportGolden.load()
    let all = try golden.predictions.merging(ImportGolden.older()) { first, _ in first }
    let files = try FileManager.default.contentsOfDirectory(atPath: ImportGolden.folder)
    var seen: Set<String> = []
    for file in files.sorted() where !file.hasPrefix("expected") {
      let stem = String(file[..<(file.lastIndex(of: ".") ?? file.endIndex)])
      guard let expected = all[stem] else { continue }
      seen.insert(stem)
      let difference = try Self.largestDifference(file, expected, golden)
      #expect(difference < 1e-5, "\(file): \(difference)")
    }
    #expect(seen == Set(all.keys))
    #expect(seen.count == 51)
  }

  @Test func namesComeFromTheModelElseFromTheTable() throws {
    let golden = try ImportGolden.load()
    let path = ImportGolden.folder + "/xgboost-3.2-binary.json"
    #expect(try ImportedModel(path: path, ModelContext(featureNames: ["a"])).featureNames == golden.names)
    let unnamed = ImportGolden.folder + "/xgboost-3.2-multi.ubj"
    #expect(try ImportedModel(path: unnamed).featureNames == (0..<6).map { "f\($0)" })
    #expect(
      throws: ModelFileError.featureCount(path: unnamed, model: 6, table: 5)
    ) { try ImportedModel(path: unnamed, ModelContext(featureNames: ["a", "b", "c", "d", "e"])) }
    #expect(throws: ModelFileError.classCount(path: unnamed, model: 3, target: 2)) {
      try ImportedModel(path: unnamed, ModelContext(classNames: ["no", "yes"]))
    }
    let classes = ["x", "y", "z"]
    #expect(
      try ImportedModel(path: unnamed, ModelContext(classNames: classes)).blackBox.outputNames == classes)
    let words = try ImportedModel(path: ImportGolden.folder + "/onnx-forest.onnx")
    #expect(words.blackBox.outputNames == ["high", "low", "middle"])
    #expect(words.format == .onnx)
  }

  @Test func aTableWithoutTheModelsFeatureIsRefused() throws {
    let golden = try ImportGolden.load()
    let model = try ImportedModel(path: ImportGolden.folder + "/lightgbm-binary.txt")
    let features = golden.features(plain: true, gradeIsText: false)
    #expect(throws: TableError.self) {
      try model.blackBox.predict(features.selecting(features: [0, 1, 2, 3, 4]))
    }
    // More columns, in another order, are no harm.
    let more = Features(
      names: ["extra"] + golden.names.reversed(), kinds: .init(repeating: .numeric, count: 7),
      rowCount: features.rowCount,
      values: [Float](repeating: 9, count: features.rowCount)
        + (0..<6).reversed().flatMap { features.column($0) })
    #expect(try model.blackBox.predict(more) == model.blackBox.predict(features))
  }

  @Test func treesOfOurOwnComeBack() throws {
    let trees = try #require(
      try ImportedModel(path: ImportGolden.folder + "/xgboost-3.2-categories.ubj").trees)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let model = try ImportedModel(bytes: [UInt8](try encoder.encode(trees)), path: "x", ModelContext())
    #expect(model.format == .headlamp)
    #expect(model.trees == trees)
  }

  @Test func strangeFilesAreRecognisedAsStrange() {
    for text in ["", "hello", "<xml>", "[1,2]", "trees\n"] {
      #expect(throws: ModelFileError.unknownFormat(path: "x")) {
        try ImportedModel(bytes: Array(text.utf8), path: "x", ModelContext())
      }
    }
    #expect(throws: ModelFileError.self) {
      try ImportedModel(bytes: Array("{}".utf8), path: "x", ModelContext())
    }
  }

  @Test func aCycleAndAWrongIndexAreErrors() throws {
    let text = String(decoding: try ImportGolden.bytes("xgboost-3.2-regression.json"), as: UTF8.self)
    let start = try #require(text.range(of: "\"left_children\":["))
    let end = try #require(text[start.upperBound...].firstIndex(of: ","))
    for wrong in ["0", "999999", "2147483648", "1.5", "true]"] {
      let changed = text.replacingCharacters(in: start.upperBound..<end, with: wrong)
      #expect(throws: ModelFileError.self, "left child \(wrong)") {
        try ImportedModel(bytes: Array(changed.utf8), path: "x", ModelContext())
      }
    }
  }

  /// Truncated and mutated files either fail with an error or give a model that predicts without a trap.
  @Test(arguments: [
    "xgboost-3.2-categories.json", "xgboost-3.2-categories.ubj", "xgboost-1.7-multi.ubj",
    "lightgbm-categories.txt", "lightgbm-zero-missing.txt", "onnx-hist-binary.onnx",
    "onnx-perceptron-binary.onnx",
    "onnx-logistic-multi.onnx", "onnx-imputed-forest.onnx",
  ])
  func brokenFilesNeverTrap(file: String) throws {
    let golden = try ImportGolden.load()
    let features = golden.features(plain: false, gradeIsText: false)
    let bytes = try ImportGolden.bytes(file)
    var generator = SeededGenerator(seed: 2_024, stream: file)
    var (refused, read) = (0, 0)
    for trial in 0..<400 {
      var broken = bytes
      if trial % 4 == 0 {
        broken.removeLast(1 + generator.index(below: bytes.count - 1))
      } else {
        for _ in 0...generator.index(below: 3) {
          let place = generator.index(below: broken.count)
          // Digits, for texts, change numbers without breaking the syntax.
          let digit = UInt8(ascii: "0") + UInt8(generator.index(below: 10))
          broken[place] = generator.index(below: 2) == 0 ? digit : UInt8(truncatingIfNeeded: generator.next())
        }
      }
      do {
        let model = try ImportedModel(bytes: broken, path: file, ModelContext(featureNames: golden.names))
        _ = try? model.blackBox.predict(features)
        read += 1
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100, "\(refused) refused, \(read) read")
  }
}
