// What a family file says: how its config.json reads, and what its tensors are called.

import Checkpoints
import Tensors

/// A family of models that share a config.json and tensor names.
protocol ModelFamily: Sendable {
  /// The `model_type` of config.json.
  static var modelType: String { get }

  /// The models' name as people say it.
  static var title: String { get }

  /// What of the family is refused by name; empty for nothing.
  static var refusals: String { get }

  /// The architecture that a config.json describes.
  /// - Throws: `TransformerError` where an option is missing, wrong or not implemented.
  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration

  /// The parameters of a checkpoint, each part of which throws `CheckpointError` where a tensor is missing or misshapen.
  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts
}

extension ModelFamily {
  static var refusals: String { "" }
}

/// What is known of one family, for lists.
public struct FamilyDescription: Sendable, Equatable {
  /// The `model_type` of config.json.
  public var modelType: String
  /// The models' name as people say it.
  public var title: String
  /// What of the family is refused by name; empty for nothing.
  public var refusals: String

  /// Every family that is read, in the order of their names in config.json.
  public static var all: [FamilyDescription] {
    families.map { FamilyDescription(modelType: $0.modelType, title: $0.title, refusals: $0.refusals) }
      .sorted { $0.modelType < $1.modelType }
  }

  /// Kinds of models that are not read, each with the reason.
  public static var refused: [(modelType: String, reason: String)] {
    refusedFamilies.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

/// All families.
let families: [any ModelFamily.Type] = [
  GeneralFamily.self, GPT2Family.self, GPTNeoFamily.self, GPTNeoXFamily.self, LlamaFamily.self,
  MistralFamily.self, MixtralFamily.self, Qwen2Family.self, Qwen3Family.self, Qwen3MoEFamily.self,
  GemmaFamily.self, Gemma2Family.self, Gemma3Family.self, OPTFamily.self, GPTJFamily.self, PhiFamily.self,
  Phi3Family.self, OLMoFamily.self, OLMo2Family.self, OLMo3Family.self, StableLMFamily.self,
  FalconFamily.self, BloomFamily.self, Starcoder2Family.self, GraniteFamily.self, CohereFamily.self,
  Cohere2Family.self, SmolLM3Family.self, GLMFamily.self, GLM4Family.self, GPTOSSFamily.self,
  BERTFamily.self, RoBERTaFamily.self,
]
