// What the descendants of Llama share: the names of sizes in config.json.

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

  /// An architecture of these sizes: rotary positions and gated MLPs, or plain ones.
  func configuration(
    family: String, normalization: RowNormalization, activation: Activation,
    mlp: TransformerConfiguration.MLP = .gated, residual: TransformerConfiguration.Residual = .sequential,
    attention: [AttentionConfiguration], tiesEmbeddings: Bool
  ) -> TransformerConfiguration {
    TransformerConfiguration(
      family: family, layers: layers, heads: heads, keyValueHeads: keyValueHeads, dModel: dModel,
      dHead: dHead, dMLP: dMLP, vocabulary: vocabulary, context: context, normalization: normalization,
      positions: .rotary, activation: activation, mlp: mlp, residual: residual, attention: attention,
      tiesEmbeddings: tiesEmbeddings)
  }

  /// The same attention in every layer: usual scores, and angles if there are any.
  func attention(rotary: RotaryConfiguration?, window: Int? = nil) -> [AttentionConfiguration] {
    Array(
      repeating: AttentionConfiguration(
        rule: AttentionRule(scale: scoreScale, window: window), rotary: rotary),
      count: layers)
  }

  /// 1/√d_head, the usual factor on scores.
  var scoreScale: Float { 1 / Float(dHead).squareRoot() }
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
