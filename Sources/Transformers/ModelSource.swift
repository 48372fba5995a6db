// From a folder or a GGUF file to a family, its configuration and its tensors.

import Checkpoints
import Files
import Tensors

/// A model on disk whose configuration has been understood.
struct ModelSource {
  let path: String
  let family: any ModelFamily.Type
  let configuration: TransformerConfiguration
  /// Whether the model is the text part of one with several parts.
  private let isTextPart: Bool

  /// Reads a configuration.
  /// - Throws: `FileError`, `CheckpointError` or `TransformerError`, each naming what is wrong.
  init(path: String) throws {
    self.path = path
    let gguf = path.hasSuffix(".gguf") ? try GGUFModel(path: path) : nil
    var options =
      try gguf.map { try ConfigurationReader(path: path, json: $0.configuration) }
      ?? ConfigurationReader(path: path + "/config.json")
    (family, isTextPart) = try Self.family(&options)
    try Self.checkStorage(&options, of: family)
    var configuration = try family.configuration(&options)
    try options.finish()
    if let gguf { configuration.adapt(to: gguf) }
    self.configuration = configuration
  }

  /// The tensors.
  /// - Throws: `FileError` or `CheckpointError`.
  func checkpoint() throws -> SafetensorsCheckpoint {
    let checkpoint = try SafetensorsCheckpoint(folder: path)
    return isTextPart ? checkpoint.renamed(Self.nameInTextModel) : checkpoint
  }

  /// A tensor's name as the text model by itself has it: `language_model.model.norm.weight` is `model.norm.weight`.
  private static func nameInTextModel(_ name: String) -> String {
    for (prefix, own) in [
      ("model.language_model.model.", "model."), ("model.language_model.", "model."),
      ("model.text_model.", "model."), ("language_model.", ""), ("text_model.", ""),
    ] where name.hasPrefix(prefix) {
      return own + name.dropFirst(prefix.count)
    }
    return name
  }

  /// Text parts that are a family's own models under another name.
  private static let textParts = [
    "qwen2_vl_text": "qwen2", "qwen2_5_vl_text": "qwen2", "qwen2_5_omni_text": "qwen2",
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe_text": "qwen3_moe", "ministral": "mistral", "gemma3": "gemma3_text",
  ]

  /// The family that a configuration names; `options` become those of the text part where a model has several parts.
  private static func family(
    _ options: inout ConfigurationReader
  ) throws -> (any ModelFamily.Type, isTextPart: Bool) {
    guard let modelType = try options.optionalText("model_type") else {
      throw options.bad("model_type", "is missing")
    }
    if let family = families.first(where: { $0.modelType == modelType }) { return (family, false) }
    if let reason = refusedFamilies[modelType] {
      throw TransformerError.refusedFamily(path: options.path, modelType: modelType, reason: reason)
    }
    if let text = options.value("text_config"), text.members != nil {
      let outer = options
      options = try ConfigurationReader(path: options.path, json: text, inheriting: outer)
      let inner = try options.optionalText("model_type") ?? ""
      let name = textParts[inner] ?? inner
      if let family = families.first(where: { $0.modelType == name }) { return (family, true) }
      throw TransformerError.unknownFamily(
        path: options.path,
        modelType: "\(modelType), whose text part is \(inner.isEmpty ? "unnamed" : inner)",
        known: families.map { $0.modelType }.sorted())
    }
    throw TransformerError.unknownFamily(
      path: options.path, modelType: modelType, known: families.map { $0.modelType }.sorted())
  }

  /// Refuses weights that are stored in a form of which 8-bit floats are the only one that is read.
  private static func checkStorage(
    _ options: inout ConfigurationReader, of family: any ModelFamily.Type
  ) throws {
    guard let quantization = options.value("quantization_config") else { return }
    let method = quantization["quant_method"]?.text ?? "an unnamed method"
    if method == "mxfp4", family.modelType == GPTOSSFamily.modelType { return }
    let isFloat8 =
      ["fp8", "fbgemm_fp8"].contains(method)
      || method == "compressed-tensors" && quantization["format"]?.text == "float-quantized"
    guard isFloat8 else {
      throw TransformerError.quantizedWeights(path: options.path, method: method)
    }
  }
}

extension TransformerConfiguration {
  /// Takes over how a GGUF file stores its family's weights.
  fileprivate mutating func adapt(to gguf: GGUFModel) {
    if gguf.hasWholeGains, case .rootMeanSquare(let epsilon, _)? = normalization {
      normalization = .rootMeanSquare(epsilon: epsilon, gainOffset: 0)
    }
    guard gguf.turnsNeighbours else { return }
    for layer in attention.indices { attention[layer].rotary?.pairing = .neighbours }
  }
}
