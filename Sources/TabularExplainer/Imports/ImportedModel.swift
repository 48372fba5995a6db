// One door for all model files: the format is recognised by content, never by name.

import Files
import FoundationEssentials
import Tables
import Tensors
import Trees

/// A model that was read from a file.
///
///     let model = try ImportedModel(path: "model.ubj", ModelContext(featureNames: names, classNames: classes))
///     let probabilities = try model.blackBox.predict(features)
public struct ImportedModel: Sendable {
  /// The format that was recognised.
  public let format: ModelFileFormat
  /// The features' names: the model's own, else the context's.
  public let featureNames: [String]
  /// Rows in, predictions out.
  public let blackBox: any BlackBox
  /// The trees, where the model is nothing else: for exact SHAP values.
  public let trees: TreeEnsemble?

  /// Reads XGBoost JSON or UBJ, LightGBM text, ONNX, or a network or trees of this project's own.
  /// - Parameters:
  ///   - context: names for features and classes where the file has none.
  /// - Throws: `ModelFileError`; `FileError` where the file cannot be read.
  public init(path: String, _ context: ModelContext = ModelContext()) throws {
    let file = try MappedFile(path: path)
    if file.withBytes({ Self.looksLikeSafetensors($0) }) {
      let network = try NetworkBlackBox(path: path)
      self.init(format: .headlamp, featureNames: network.encoder.featureNames, blackBox: network, trees: nil)
      return
    }
    try self.init(bytes: file.copiedBytes(), path: path, context)
  }

  private init(format: ModelFileFormat, featureNames: [String], blackBox: any BlackBox, trees: TreeEnsemble?)
  {
    self.format = format
    self.featureNames = featureNames
    self.blackBox = blackBox
    self.trees = trees
  }

  /// Safetensors files start with the length of their header, 8 bytes, and the header's brace.
  private static func looksLikeSafetensors(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount > 9 else { return false }
    let length = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(as: UInt64.self))
    let brace = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt8.self)
    return brace == UInt8(ascii: "{") && length >= 2 && length <= UInt64(bytes.byteCount - 8)
  }

  /// Reads a model from a file's bytes; `path` is for messages.
  init(bytes: [UInt8], path: String, _ context: ModelContext) throws(ModelFileError) {
    guard let format = Self.format(of: bytes) else { throw .unknownFormat(path: path) }
    self.format = format
    switch format {
    case .onnx:
      (featureNames, blackBox, trees) = try Self.readONNX(bytes, path: path, context)
      return
    case .xgboostJSON, .xgboostUBJ, .lightGBM, .headlamp:
      let ensemble =
        format == .headlamp
        ? try Self.readOwnTrees(bytes, path: path) : try Self.readTrees(bytes, format, path: path, context)
      featureNames = ensemble.featureNames
      blackBox = TreeBlackBox(ensemble)
      trees = ensemble
    }
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
      if ["base_scores", "baseScores", "feature", "schema_version"].contains(where: {
        beginning.hasPrefix("{\"\($0)")
      }) {
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
  private static func readOwnTrees(_ bytes: [UInt8], path: String) throws(ModelFileError) -> TreeEnsemble {
    do {
      return try JSONDecoder().decode(TreeEnsemble.self, from: Data(bytes))
    } catch let error as TreeError {
      throw error.modelProblem.located(path: path, format: .headlamp)
    } catch {
      throw .malformed(path: path, format: .headlamp, problem: "its trees cannot be read")
    }
  }

  private static func readTrees(
    _ bytes: [UInt8], _ format: ModelFileFormat, path: String, _ context: ModelContext
  ) throws(ModelFileError) -> TreeEnsemble {
    if format == .lightGBM {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .malformed(path: path, format: format, problem: "it is not UTF-8 text")
      }
      let model: LightGBMModel
      do throws(ModelProblem) { model = try LightGBMModel(text) } catch {
        throw error.located(path: path, format: format)
      }
      return try model.ensemble(path: path, context)
    }
    let model: XGBoostModel
    do throws(ModelProblem) {
      model = try XGBoostModel(
        format == .xgboostUBJ ? try UniversalBinaryJSON.parse(bytes) : try json(bytes))
    } catch {
      throw error.located(path: path, format: format)
    }
    return try model.ensemble(path: path, format: format, context)
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

  private static func readONNX(
    _ bytes: [UInt8], path: String, _ context: ModelContext
  ) throws(ModelFileError) -> ([String], any BlackBox, TreeEnsemble?) {
    let model: ONNXModel
    let names: ModelNames
    do throws(ModelProblem) {
      model = try ONNXModel(try ONNXGraph(bytes), tableFeatureCount: context.featureNames?.count)
      names = try model.namesWithOutputs()
    } catch {
      throw error.located(path: path, format: .onnx)
    }
    let settled = try names.settled(in: context, path: path)
    let box = ONNXBlackBox(model, features: settled.features, outputs: settled.outputs, path: path)
    guard let trees = model.onlyTrees else { return (settled.features, box, nil) }
    do throws(TreeError) {
      return (settled.features, box, try trees.ensemble(features: settled.features, outputs: settled.outputs))
    } catch {
      throw error.modelProblem.located(path: path, format: .onnx)
    }
  }
}
