// BERT (Devlin et al. 2019): an encoder. Every position sees all others; the residual stream itself is normalised behind
// attention and behind the MLP; the logits of a masked position are about the token that stands there.

import Checkpoints
import Files
import Tensors

enum BERTFamily: ModelFamily {
  static let modelType = "bert"
  static let title = "BERT (encoder)"
  static let refusals = "relative positions, decoders"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    try encoderConfiguration(&options, family: modelType, unusedPositions: 0)
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try encoderWeights(
      checkpoint, configuration, prefix: "bert.", unusedPositions: { 0 },
      head: (
        transform: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm",
        bias: "cls.predictions.bias", output: "cls.predictions.decoder.weight"
      ))
  }
}

/// RoBERTa (Liu et al. 2019): BERT trained longer, under other names; the first rows of the position table, up to that of
/// the padding token, stand for no position.
enum RoBERTaFamily: ModelFamily {
  static let modelType = "roberta"
  static let title = "RoBERTa (encoder)"
  static let refusals = "relative positions, decoders"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    try encoderConfiguration(
      &options, family: modelType,
      unusedPositions: (try options.optionalCount("pad_token_id", minimum: 0) ?? 1) + 1)
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let table = "roberta.embeddings.position_embeddings.weight"
    return try encoderWeights(
      checkpoint, configuration, prefix: "roberta.",
      unusedPositions: {
        let rows = try checkpoint.file(holding: table).entry(table).shape.first ?? 0
        return max(0, rows - configuration.context)
      },
      head: (
        transform: "lm_head.dense", norm: "lm_head.layer_norm", bias: "lm_head.bias",
        output: "lm_head.decoder.weight"
      ))
  }
}

private func encoderConfiguration(
  _ options: inout ConfigurationReader, family: String, unusedPositions: Int
) throws -> TransformerConfiguration {
  let layers = try options.count("num_hidden_layers")
  let heads = try options.count("num_attention_heads")
  let dModel = try options.count("hidden_size")
  guard dModel % heads == 0 else {
    throw options.bad("num_attention_heads", "must divide hidden_size, which is \(dModel), but is \(heads)")
  }
  try options.require("position_embedding_type", .string("absolute"))
  try options.require("add_cross_attention", .boolean(false))
  try options.require("is_decoder", .boolean(false))
  _ = try options.optionalCount("type_vocab_size", minimum: 0)
  let dHead = dModel / heads
  let rows = try options.count("max_position_embeddings")
  guard rows > unusedPositions else {
    throw options.bad("max_position_embeddings", "must be more than \(unusedPositions)")
  }
  var configuration = TransformerConfiguration(
    family: family, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
    dMLP: try options.count("intermediate_size"), vocabulary: try options.count("vocab_size"),
    context: rows - unusedPositions,
    normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-12))),
    positions: .learned, activation: try options.choice("hidden_act", default: "gelu", hiddenActivations),
    mlp: .plain, residual: .normalized,
    attention: Array(
      repeating: AttentionConfiguration(
        rule: AttentionRule(scale: 1 / Float(dHead).squareRoot(), isCausal: false)), count: layers),
    tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  configuration.prediction = .masked
  return configuration
}

private func encoderWeights(
  _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration, prefix: String,
  unusedPositions: @escaping () throws -> Int,
  head: (transform: String, norm: String, bias: String, output: String)
) throws -> WeightParts {
  let reader = WeightReader(checkpoint, optionalPrefix: prefix, probe: "embeddings.word_embeddings.weight")
  let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
  func block(_ layer: Int) throws -> BlockWeights {
    let name = "encoder.layer.\(layer)."
    func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
      try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: true)
    }
    var block = BlockWeights(
      attentionNorm: nil,
      attention: AttentionWeights(
        projections: .separate(
          queries: try linear("attention.self.query", from: dModel, to: dModel),
          keys: try linear("attention.self.key", from: dModel, to: dModel),
          values: try linear("attention.self.value", from: dModel, to: dModel)),
        output: try linear("attention.output.dense", from: dModel, to: dModel)),
      mlp: MLPWeights(
        input: try linear("intermediate.dense", from: dModel, to: dMLP),
        output: try linear("output.dense", from: dMLP, to: dModel)))
    block.streamNormAfterAttention = try reader.norm(
      name + "attention.output.LayerNorm", dModel, hasBias: true)
    block.streamNormAfterMLP = try reader.norm(name + "output.LayerNorm", dModel, hasBias: true)
    return block
  }
  return WeightParts(
    embedding: {
      let unused = try unusedPositions()
      let rows = configuration.context + unused
      let positions = try reader.tensor("embeddings.position_embeddings.weight", [rows, dModel])
      let segments = "embeddings.token_type_embeddings.weight"
      return EmbeddingWeights(
        tokens: try reader.weight("embeddings.word_embeddings.weight", [vocabulary, dModel]),
        positions: positions.rows(unused..<rows),
        segment: reader.contains(segments) ? try reader.firstRow(segments, width: dModel) : nil,
        norm: try reader.norm("embeddings.LayerNorm", dModel, hasBias: true))
    }, block: block,
    output: {
      let bias = try reader.optionalTensor(head.bias, [vocabulary])
      return OutputWeights(
        transform: try reader.linear(
          head.transform, .outputInput, from: dModel, to: dModel, hasBias: true),
        finalNorm: try reader.norm(head.norm, dModel, hasBias: true),
        unembedding: configuration.tiesEmbeddings
          ? nil : Linear(try reader.weight(head.output, [vocabulary, dModel]), .outputInput, bias: bias),
        tiedBias: configuration.tiesEmbeddings ? bias : nil)
    })
}
