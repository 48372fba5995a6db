// What the descendants of Llama share: the names of sizes in config.json, and the names of tensors.

import Checkpoints
import Tensors

/// The sizes of a model, under the names that most families use.
struct DecoderSizes {
  var layers: Int
  var heads: Int
  var keyValueHeads: Int
  var dModel: Int
  var dHead: Int
  var dMLP: Int
  var vocabulary: Int
  var context: Int

  init(_ options: inout ConfigurationReader, headWidth: Int? = nil) throws {
    layers = try options.count("num_hidden_layers")
    heads = try options.count("num_attention_heads")
    keyValueHeads = try options.optionalCount("num_key_value_heads") ?? heads
    guard heads % keyValueHeads == 0 else {
      throw options.bad("num_key_value_heads", "must divide \(heads) heads, but is \(keyValueHeads)")
    }
    dModel = try options.count("hidden_size")
    let given = try options.optionalCount("head_dim") ?? headWidth
    guard let width = given ?? (dModel % heads == 0 ? dModel / heads : nil) else {
      throw options.bad("num_attention_heads", "must divide hidden_size, which is \(dModel)")
    }
    dHead = width
    dMLP = try options.count("intermediate_size")
    vocabulary = try options.count("vocab_size")
    context = try options.count("max_position_embeddings")
  }

  /// An architecture of these sizes: root-mean-square norms, rotary positions and gated MLPs.
  func configuration(
    family: String, normalization: RowNormalization, activation: Activation,
    attention: [AttentionConfiguration], tiesEmbeddings: Bool
  ) -> TransformerConfiguration {
    TransformerConfiguration(
      family: family, layers: layers, heads: heads, keyValueHeads: keyValueHeads, dModel: dModel,
      dHead: dHead, dMLP: dMLP, vocabulary: vocabulary, context: context, normalization: normalization,
      positions: .rotary, activation: activation, mlp: .gated, attention: attention,
      tiesEmbeddings: tiesEmbeddings)
  }

  /// 1/√d_head, the usual factor on scores.
  var scoreScale: Float { 1 / Float(dHead).squareRoot() }
}

/// Which tensors a descendant of Llama has beside the matrices.
struct DecoderTensors {
  /// Biases of queries, keys and values.
  var hasInputBias = false
  /// Bias of attention's output.
  var hasOutputBias = false
  /// Biases of the MLP.
  var hasMLPBias = false
  /// Normalisation of each query and key.
  var hasHeadNorms = false
  /// Normalisation of what attention and MLP add to the stream.
  var hasPostNorms = false

  func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    let reader = WeightReader(checkpoint, optionalPrefix: "model.", probe: "embed_tokens.weight")
    let (dModel, vocabulary) = (configuration.dModel, configuration.vocabulary)
    return TransformerWeights(
      tokenEmbedding: try reader.weight("embed_tokens.weight", [vocabulary, dModel]),
      blocks: try (0..<configuration.layers).map { try block("layers.\($0).", reader, configuration) },
      finalNorm: try reader.norm("norm", dModel, hasBias: false),
      unembedding: configuration.tiesEmbeddings
        ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
  }

  private func block(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> BlockWeights {
    let dModel = configuration.dModel
    func norm(_ module: String) throws -> NormWeights {
      try reader.norm(name + module, dModel, hasBias: false)
    }
    return BlockWeights(
      attentionNorm: try norm("input_layernorm"),
      attention: try attention(name + "self_attn.", reader, configuration),
      attentionPostNorm: hasPostNorms ? try norm("post_attention_layernorm") : nil,
      mlpNorm: try norm(hasPostNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm"),
      mlp: try mlp(name + "mlp.", reader, configuration),
      mlpPostNorm: hasPostNorms ? try norm("post_feedforward_layernorm") : nil)
  }

  private func attention(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    func projection(_ module: String, heads: Int) throws -> Linear {
      try reader.linear(
        name + module, .outputInput, from: dModel, to: heads * dHead, hasBias: hasInputBias)
    }
    return AttentionWeights(
      projections: .separate(
        queries: try projection("q_proj", heads: configuration.heads),
        keys: try projection("k_proj", heads: configuration.keyValueHeads),
        values: try projection("v_proj", heads: configuration.keyValueHeads)),
      output: try reader.linear(
        name + "o_proj", .outputInput, from: configuration.heads * dHead, to: dModel, hasBias: hasOutputBias),
      queryNorm: hasHeadNorms ? try reader.tensor(name + "q_norm.weight", [dHead]) : nil,
      keyNorm: hasHeadNorms ? try reader.tensor(name + "k_norm.weight", [dHead]) : nil)
  }

  private func mlp(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> MLPWeights {
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
      try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: hasMLPBias)
    }
    return MLPWeights(
      gate: try linear("gate_proj", from: dModel, to: dMLP),
      input: try linear("up_proj", from: dModel, to: dMLP),
      output: try linear("down_proj", from: dMLP, to: dModel))
  }
}

/// Which layers look back over a limited window.
///
/// - Returns: for each layer, whether `layer_types` says `sliding_attention`; `fallback` where it is absent.
func slidingLayers(
  _ options: inout ConfigurationReader, layers: Int, fallback: (Int) -> Bool
) throws(TransformerError) -> [Bool] {
  guard let types = try options.optionalTexts("layer_types", count: layers) else {
    return (0..<layers).map(fallback)
  }
  var result: [Bool] = []
  for type in types {
    switch type {
    case "sliding_attention": result.append(true)
    case "full_attention": result.append(false)
    default: throw .unsupportedOption(path: options.path, option: "layer_types", value: type)
    }
  }
  return result
}
