// OPT (Zhang et al. 2022): GPT-2's blocks with ReLU and separate projections; the first two rows of the position table
// stand for no position. OPT-350m alone normalises the stream itself behind attention and behind the MLP, and embeds tokens
// into another width, from which and to which a matrix leads.

import Checkpoints
import Files
import Tensors

enum OPTFamily: ModelFamily {
  static let modelType = "opt"
  static let title = "OPT"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("num_hidden_layers")
    let heads = try options.count("num_attention_heads")
    let dModel = try options.count("hidden_size")
    guard dModel % heads == 0 else {
      throw options.bad("num_attention_heads", "must divide hidden_size, which is \(dModel), but is \(heads)")
    }
    let normalizesBefore = try options.truth("do_layer_norm_before", default: true)
    let embedded = try options.optionalCount("word_embed_proj_dim") ?? dModel
    // Which parameters there are is seen from the tensors.
    for option in ["enable_bias", "layer_norm_elementwise_affine", "_remove_final_layer_norm"] {
      _ = try options.truth(option, default: true)
    }
    let dHead = dModel / heads
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: try options.count("ffn_dim"), vocabulary: try options.count("vocab_size"),
      context: try options.count("max_position_embeddings"), normalization: .layer(epsilon: 1e-5),
      positions: .learned,
      activation: try options.choice("activation_function", default: "relu", hiddenActivations), mlp: .plain,
      residual: normalizesBefore ? .sequential : .normalized,
      attention: Array(
        repeating: AttentionConfiguration(rule: AttentionRule(scale: 1 / Float(dHead).squareRoot())),
        count: layers),
      // Behind matrices of their own the two ends are no longer one.
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true) && embedded == dModel)
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let isBare = checkpoint.names.contains { $0.hasPrefix("decoder.") }
    let prefix = isBare ? "decoder." : "model.decoder."
    let reader = WeightReader(checkpoint, optionalPrefix: prefix, probe: "embed_tokens.weight")
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    func norm(_ name: String) throws -> NormWeights {
      NormWeights(
        gain: try reader.optionalTensor(name + ".weight", [dModel]),
        bias: try reader.optionalTensor(name + ".bias", [dModel]))
    }
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "layers.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
        try reader.linear(
          name + module, .outputInput, from: inputs, to: outputs,
          hasBias: reader.contains(name + module + ".bias"))
      }
      var block = BlockWeights(
        attentionNorm: nil,
        attention: AttentionWeights(
          projections: .separate(
            queries: try linear("self_attn.q_proj", from: dModel, to: dModel),
            keys: try linear("self_attn.k_proj", from: dModel, to: dModel),
            values: try linear("self_attn.v_proj", from: dModel, to: dModel)),
          output: try linear("self_attn.out_proj", from: dModel, to: dModel)),
        mlp: MLPWeights(
          input: try linear("fc1", from: dModel, to: dMLP), output: try linear("fc2", from: dMLP, to: dModel))
      )
      let norms = (try norm(name + "self_attn_layer_norm"), try norm(name + "final_layer_norm"))
      if configuration.residual == .normalized {
        (block.streamNormAfterAttention, block.streamNormAfterMLP) = norms
      } else {
        (block.attentionNorm, block.mlpNorm) = norms
      }
      return block
    }
    return WeightParts(
      embedding: {
        let positions = try reader.tensor("embed_positions.weight", [configuration.context + 2, dModel])
        return EmbeddingWeights(
          tokens: try tokenEmbedding(reader, configuration),
          positions: positions.rows(2..<configuration.context + 2))
      }, block: block,
      output: {
        OutputWeights(
          finalNorm: reader.contains("final_layer_norm.weight") ? try norm("final_layer_norm") : nil,
          unembedding: try unembedding(reader, configuration).map { Linear($0, .outputInput) })
      })
  }

  /// The table of tokens in the stream's width.
  ///
  /// Where tokens are embedded into another width (OPT-350m), table and matrix are multiplied once, here and below.
  private static func tokenEmbedding(
    _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> Weight {
    let (dModel, vocabulary) = (configuration.dModel, configuration.vocabulary)
    guard reader.contains("project_in.weight") else {
      return try reader.weight("embed_tokens.weight", [vocabulary, dModel])
    }
    let width = try reader.columnCount(of: "project_in.weight")
    let table = try reader.tensor("embed_tokens.weight", [vocabulary, width])
    let into = try reader.tensor("project_in.weight", [dModel, width])
    return Weight(matrixProduct(table, into, transposingB: true))
  }

  /// The table of the other end; nil where that of tokens serves for it too.
  private static func unembedding(
    _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> Weight? {
    let (dModel, vocabulary) = (configuration.dModel, configuration.vocabulary)
    let head = "lm_head.weight"
    guard reader.contains("project_in.weight") else {
      return configuration.tiesEmbeddings ? nil : try reader.weight(head, [vocabulary, dModel])
    }
    let width = try reader.columnCount(of: "project_in.weight")
    let out = try reader.tensor("project_out.weight", [width, dModel])
    let last = try reader.tensor(reader.contains(head) ? head : "embed_tokens.weight", [vocabulary, width])
    return Weight(matrixProduct(last, out))
  }
}
