// GPT-J (Wang & Komatsuzaki 2021): attention and MLP side by side behind one norm, neighbouring coordinates turned by
// their position, a bias on the logits.

import Checkpoints
import Files
import Tensors

enum GPTJFamily: ModelFamily {
  static let modelType = "gptj"
  static let title = "GPT-J"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("n_layer")
    let heads = try options.count("n_head")
    let dModel = try options.count("n_embd")
    guard dModel % heads == 0 else {
      throw options.bad("n_head", "must divide n_embd, which is \(dModel), but is \(heads)")
    }
    let dHead = dModel / heads
    let turned = try options.optionalCount("rotary_dim") ?? dHead
    guard turned <= dHead else { throw options.bad("rotary_dim", "is \(turned), more than d_head, \(dHead)") }
    try options.require("rotary", .boolean(true))
    try options.require("scale_attn_weights", .boolean(true))
    let rotary = RotaryConfiguration(dimension: turned, base: 10000, pairing: .neighbours)
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: try options.optionalCount("n_inner") ?? 4 * dModel, vocabulary: try options.count("vocab_size"),
      context: try options.count("n_positions"),
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_epsilon", default: 1e-5))),
      positions: .rotary,
      activation: try options.choice("activation_function", default: "gelu_new", hiddenActivations),
      mlp: .plain, residual: .parallel,
      attention: Array(
        repeating: AttentionConfiguration(
          rule: AttentionRule(scale: 1 / Float(dHead).squareRoot()), rotary: rotary), count: layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
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
      var block = BlockWeights(
        attentionNorm: try reader.norm(name + "ln_1", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .separate(
            queries: try linear("attn.q_proj", from: dModel, to: dModel, hasBias: false),
            keys: try linear("attn.k_proj", from: dModel, to: dModel, hasBias: false),
            values: try linear("attn.v_proj", from: dModel, to: dModel, hasBias: false)),
          output: try linear("attn.out_proj", from: dModel, to: dModel, hasBias: false)),
        mlp: MLPWeights(
          input: try linear("mlp.fc_in", from: dModel, to: dMLP, hasBias: true),
          output: try linear("mlp.fc_out", from: dMLP, to: dModel, hasBias: true)))
      block.sharesNorm = true
      return block
    }
    return WeightParts(
      embedding: { EmbeddingWeights(tokens: try reader.weight("wte.weight", [vocabulary, dModel])) },
      block: block,
      output: {
        let bias = try reader.optionalTensor("lm_head.bias", [vocabulary])
        return OutputWeights(
          finalNorm: try reader.norm("ln_f", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil
            : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput, bias: bias),
          tiedBias: configuration.tiesEmbeddings ? bias : nil)
      })
  }
}
