// What a family file says: how its config.json reads, and what its tensors are called.

import Checkpoints
import Tensors

/// A family of models that share a config.json and tensor names.
protocol ModelFamily: Sendable {
  /// The `model_type` of config.json.
  static var modelType: String { get }

  /// The architecture that a config.json describes.
  /// - Throws: `TransformerError` where an option is missing, wrong or not implemented.
  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration

  /// The parameters of a checkpoint.
  /// - Throws: `CheckpointError` where a tensor is missing or misshapen.
  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights
}

/// All families.
let families: [any ModelFamily.Type] = [
  GeneralFamily.self, GPT2Family.self, GPTNeoFamily.self, GPTNeoXFamily.self, LlamaFamily.self,
  MistralFamily.self, Qwen2Family.self, Qwen3Family.self, Gemma2Family.self, Gemma3Family.self,
]
