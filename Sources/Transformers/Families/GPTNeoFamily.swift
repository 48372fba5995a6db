// GPT-Neo (Black et al. 2021): GPT-2 with scores that are not scaled, and every second layer looking back over a
// window.

import Checkpoints
import Files
import Tensors

enum GPTNeoFamily: ModelFamily {
  static let modelType = "gpt_neo"
  static let title = "GPT-Neo"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("num_layers")
    let heads = try options.count("num_heads")
    let dModel = try options.count("hidden_size")
    guard dModel % heads == 0 else {
      throw options.bad("num_heads", "must divide hidden_size, which is \(dModel), but is \(heads)")
    }
    let window = try options.optionalCount("window_size") ?? 256
    let kinds = try attentionKinds(&options, layers: layers)
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel,
      dHead: dModel / heads, dMLP: try options.optionalCount("intermediate_size") ?? 4 * dModel,
      vocabulary: try options.count("vocab_size"), context: try options.count("max_position_embeddings"),
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_epsilon", default: 1e-5))),
      positions: .learned,
      activation: try options.choice("activation_function", default: "gelu_new", hiddenActivations),
      mlp: .plain,
      attention: kinds.map { isLocal in
        AttentionConfiguration(rule: AttentionRule(scale: 1, window: isLocal ? window : nil))
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  /// Whether each layer is local, from `attention_layers` or from `attention_types`: `[[["global", "local"], 6]]`.
  private static func attentionKinds(
    _ options: inout ConfigurationReader, layers: Int
  ) throws -> [Bool] {
    var names = try options.optionalTexts("attention_layers", count: layers) ?? []
    let types = options.value("attention_types")?.elements ?? []
    if names.isEmpty {
      for type in types {
        let parts = type.elements ?? []
        guard parts.count == 2, let kinds = parts[0].elements?.compactMap(\.text),
          let repeats = parts[1].wholeNumber, (0...layers).contains(repeats)
        else { throw options.bad("attention_types", "must list kinds of layers and how often they repeat") }
        for _ in 0..<repeats { names += kinds }
      }
    }
    guard names.count == layers else {
      throw options.bad("attention_types", "names \(names.count) layers of \(layers)")
    }
    return try names.map { name in
      switch name {
      case "global": return false
      case "local": return true
      default: throw options.bad("attention_layers", "must be global or local, not \(name)")
      }
    }
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint, optionalPrefix: "transformer.", probe: "wte.weight")
    let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "h.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int, hasBias: Bool) throws -> Linear {
        try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: hasBias)
      }
      let attention = "attn.attention."
      return BlockWeights(
        attentionNorm: try reader.norm(name + "ln_1", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .separate(
            queries: try linear(attention + "q_proj", from: dModel, to: dModel, hasBias: false),
            keys: try linear(attention + "k_proj", from: dModel, to: dModel, hasBias: false),
            values: try linear(attention + "v_proj", from: dModel, to: dModel, hasBias: false)),
          output: try linear(attention + "out_proj", from: dModel, to: dModel, hasBias: true)),
        mlpNorm: try reader.norm(name + "ln_2", dModel, hasBias: true),
        mlp: MLPWeights(
          input: try linear("mlp.c_fc", from: dModel, to: dMLP, hasBias: true),
          output: try linear("mlp.c_proj", from: dMLP, to: dModel, hasBias: true)))
    }
    return WeightParts(
      embedding: {
        EmbeddingWeights(
          tokens: try reader.weight("wte.weight", [vocabulary, dModel]),
          positions: try reader.tensor("wpe.weight", [configuration.context, dModel]))
      }, block: block,
      output: {
        OutputWeights(
          finalNorm: try reader.norm("ln_f", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
      })
  }
}
