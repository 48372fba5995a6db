// A model file that is open, and not yet tied to a table: what it predicts, and from what.

import Files
import FoundationEssentials
import Tables
import Tensors
import Trees

/// A model file, its format recognised by content, never by name.
public struct ModelFile: Sendable {
  /// Where the file lies.
  public let path: String
  /// The format that was recognised.
  public let format: ModelFileFormat
  private let names: ModelNames
  private let content: Content

  private enum Content: Sendable {
    case network(NetworkBlackBox)
    case trees(TreeEnsemble)
    case xgboost(XGBoostModel)
    case lightGBM(LightGBMModel)
    case catBoost(CatBoostModel)
    case onnx(ONNXGraph)
  }

  /// The model's own names of its features; nil where it only counts them.
  public var featureNames: [String]? { names.features }
  /// How many features the model takes; for some ONNX models only a lower bound.
  public var featureCount: Int { names.featureCount }
  /// Whether the model predicts classes.
  public var classifies: Bool { names.classifies }

  /// Opens XGBoost JSON or UBJ, LightGBM text, CatBoost JSON, ONNX, or a network or trees of this project's own.
  /// - Throws: `ModelFileError`; `FileError` where the file cannot be read.
  public init(path: String) throws {
    let file = try MappedFile(path: path)
    if file.withBytes({ Self.looksLikeSafetensors($0) }) {
      let network = try NetworkBlackBox(path: path)
      self.init(
        path: path, format: .headlamp,
        names: ModelNames(own: network.encoder.featureNames, outputs: network.outputNames),
        content: .network(network))
      return
    }
    try self.init(bytes: file.copiedBytes(), path: path)
  }

  private init(path: String, format: ModelFileFormat, names: ModelNames, content: Content) {
    self.path = path
    self.format = format
    self.names = names
    self.content = content
  }

  /// Safetensors files start with the length of their header, 8 bytes, and the header's brace.
  private static func looksLikeSafetensors(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount > 9 else { return false }
    let length = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(as: UInt64.self))
    let brace = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt8.self)
    return brace == UInt8(ascii: "{") && length >= 2 && length <= UInt64(bytes.byteCount - 8)
  }

  /// Opens a model from a file's bytes; `path` is for messages.
  init(bytes: [UInt8], path: String) throws(ModelFileError) {
    guard let format = Self.format(of: bytes) else { throw .unknownFormat(path: path) }
    self.path = path
    var kind = format
    do throws(ModelProblem) {
      switch format {
      case .onnx:
        let graph = try ONNXGraph(bytes)
        content = .onnx(graph)
        names = try ONNXModel.glance(graph)
      case .lightGBM:
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw .malformed("it is not UTF-8 text")
        }
        let model = try LightGBMModel(text)
        content = .lightGBM(model)
        names = try model.names()
      case .headlamp:
        let trees = try Self.ownTrees(bytes)
        content = .trees(trees)
        names = ModelNames(own: trees.featureNames, outputs: trees.outputNames)
      case .xgboostJSON, .xgboostUBJ, .catBoost:
        let document = format == .xgboostUBJ ? try UniversalBinaryJSON.parse(bytes) : try Self.json(bytes)
        if CatBoostModel.recognises(document) {
          kind = .catBoost
          let model = CatBoostModel(document)
          content = .catBoost(model)
          names = try model.names()
        } else {
          let model = try XGBoostModel(document)
          content = .xgboost(model)
          names = try model.names()
        }
      }
    } catch {
      throw error.located(path: path, format: kind)
    }
    self.format = kind
  }

  /// The format of a file, from its first bytes.
  static func format(of bytes: [UInt8]) -> ModelFileFormat? {
    let start = bytes.prefix(64)
    if LightGBMModel.recognises(String(decoding: start, as: UTF8.self)) { return .lightGBM }
    let text = start.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
    guard let first = text.first else { return nil }
    if first == UInt8(ascii: "{"), let second = text.dropFirst().first {
      // After the brace a text has a quote or a blank, a binary the type of the first key's length.
      // This project's own trees begin with one of their keys; XGBoost's document with "learner" or "version".
      let beginning = String(decoding: text.prefix(24).filter { $0 > 0x20 }, as: UTF8.self)
      if [
        "base_scores", "baseScores", "exact_thresholds", "feature_kinds", "feature_names", "schema_version",
        "sha256",
      ]
      .contains(where: { beginning.hasPrefix("{\"\($0)") }) {
        return .headlamp
      }
      let isText =
        second == UInt8(ascii: "\"") || second == 0x20 || (0x09...0x0d).contains(second) || second == 0x7d
      return isText ? .xgboostJSON : .xgboostUBJ
    }
    // ONNX starts with its version, field 1 as a varint, or with the producer's name, field 2.
    return first == 0x08 || first == 0x12 ? .onnx : nil
  }

  /// Trees that `TreeEnsemble` wrote.
  private static func ownTrees(_ bytes: [UInt8]) throws(ModelProblem) -> TreeEnsemble {
    do {
      return try TreeEnsemble(parsing: Data(bytes))
    } catch let error as TreeError {
      throw error.modelProblem
    } catch {
      throw .malformed("its trees cannot be read")
    }
  }

  private static func json(_ bytes: [UInt8]) throws(ModelProblem) -> JSONValue {
    do throws(JSONSyntaxError) {
      return try JSONValue(parsing: String(decoding: withoutNaN(bytes), as: UTF8.self))
    } catch {
      throw .malformed("line \(error.line), column \(error.column): \(error.problem)")
    }
  }

  /// XGBoost writes the thresholds of categorical splits as NaN, which JSON does not have: they become null.
  private static func withoutNaN(_ bytes: [UInt8]) -> [UInt8] {
    let (word, replacement) = (Array("NaN".utf8), Array("null".utf8))
    var result: [UInt8] = []
    var copied = 0
    var index = 0
    while let place = bytes[index...].firstIndex(of: word[0]) {
      index = place + 1
      // Inside a text, NaN stands between letters or quotes; as a number, between brackets, commas and blanks.
      guard bytes[place...].starts(with: word), place > 0, ",[: ".utf8.contains(bytes[place - 1]),
        place + 3 < bytes.count, ",] \n}".utf8.contains(bytes[place + 3])
      else { continue }
      result += bytes[copied..<place]
      result += replacement
      copied = place + 3
    }
    return copied == 0 ? bytes : result + bytes[copied...]
  }

  // MARK: - Tied to a table

  /// The model as a black box for the context's table.
  /// - Throws: `ModelFileError`.
  public func model(_ context: ModelContext = ModelContext()) throws(ModelFileError) -> ImportedModel {
    if context.rounds != .asTheLibrary {
      guard case .xgboost = content else {
        throw .rounds(path: path, problem: "is no model of XGBoost's rounds")
      }
    }
    do {
      switch content {
      case .network(let network):
        return ImportedModel(
          format: format, featureNames: network.encoder.featureNames, blackBox: network, trees: nil)
      case .trees(let trees): return try ownTrees(trees, context)
      case .onnx(let graph): return try onnx(graph, context)
      case .catBoost(let model):
        let settled = try names.settled(in: context, path: path)
        let cells = CellScales(context.table, places: settled.places)
        return ImportedModel(format: format, try model.ensemble(path: path, settled, cells), settled.remarks)
      case .lightGBM(let model):
        let settled = try names.settled(in: context, path: path)
        return try model.imported(settled, CellScales(context.table, places: settled.places))
      case .xgboost(let model):
        var settled = try names.settled(in: context, path: path)
        let rounds = try model.rounds(context.rounds)
        if rounds.used < rounds.total || rounds.best != nil {
          settled.remarks.append(.rounds(used: rounds.used, of: rounds.total, best: rounds.best))
        }
        return try model.imported(
          format, settled, CellScales(context.table, places: settled.places), rounds: rounds.used)
      }
    } catch let problem as ModelProblem {
      throw problem.located(path: path, format: format)
    } catch let error as TreeError {
      throw error.modelProblem.located(path: path, format: format)
    } catch let error as ModelFileError {
      throw error
    } catch {
      throw .malformed(path: path, format: format, problem: "\(error)")
    }
  }

  private func ownTrees(_ trees: TreeEnsemble, _ context: ModelContext) throws -> ImportedModel {
    if let order = context.classOrder, names.classifies {
      _ = order
      throw ModelFileError.classesWithoutEffect(path: path, classes: trees.outputNames)
    }
    guard let table = context.table else { return ImportedModel(format: format, trees, []) }
    let settled = try names.settled(
      in: ModelContext(table: table), path: path)
    return ImportedModel(
      format: format, trees.renamed(settled.features).moved(to: table, places: settled.places),
      settled.remarks)
  }

  private func onnx(_ graph: ONNXGraph, _ context: ModelContext) throws -> ImportedModel {
    let model = try ONNXModel(graph, tableFeatureCount: context.featureNames?.count)
    let settled = try model.namesWithOutputs().settled(in: context, path: path)
    let cells = CellScales(context.table, places: settled.places)
    let box = ONNXBlackBox(model, features: settled.features, outputs: settled.outputs, path: path)
    guard let trees = try model.onlyTrees(cells) else {
      return ImportedModel(
        format: format, featureNames: settled.features, blackBox: box, trees: nil, remarks: settled.remarks)
    }
    let ensemble = try trees.ensemble(features: settled.features, outputs: settled.outputs)
    return ImportedModel(format: format, ensemble, settled.remarks)
  }
}

extension ModelNames {
  /// The names of a model of this project's own.
  fileprivate init(own features: [String], outputs: [String]) {
    self.init(
      features: features, featureCount: features.count, classes: outputs.count > 1 ? outputs : nil,
      outputCount: outputs.count, classifies: outputs.count > 1)
  }
}
