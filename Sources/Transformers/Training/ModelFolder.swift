// Writing a trained model as a folder that this project, and where the architecture allows Hugging Face's, can load.

import Files
import Tensors

extension ParameterLayout {
  /// Whether the architecture is one that GPT-2's configuration can describe.
  public var isGPT2: Bool {
    architecture.mlp != nil && architecture.normEpsilon != nil && architecture.hasPositions
      && architecture.isCausal && architecture.hasBiases
      && architecture.headsWidth == architecture.modelWidth
      && hasUsualScale
  }

  private var hasUsualScale: Bool {
    architecture.scoreScale == 1 / Float(architecture.headWidth).squareRoot()
  }

  /// Writes `config.json` and `model.safetensors`: a GPT-2 where the architecture is one, else the project's own
  /// layout with TransformerLens's names.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - beginningToken: the token every text begins with, noted in the configuration.
  ///   - metadata: texts kept in the header of the weights' file.
  /// - Throws: `FileError` where a file cannot be written.
  public func write(
    _ parameters: Tensor, toFolder folder: String, beginningToken: Int? = nil,
    metadata: [String: String] = [:]
  ) throws {
    let tensors = isGPT2 ? gpt2Tensors(parameters) : generalTensors(parameters)
    try writeSafetensors(
      tensors.mapValues { .float($0) }, metadata: metadata.merging(["format": "pt"]) { $1 },
      to: folder + "/model.safetensors")
    let token = beginningToken.map { JSONValue.integer($0) } ?? .null
    try writeFile(
      JSONValue.object(
        (isGPT2 ? gpt2Configuration : generalConfiguration) + [JSONMember("bos_token_id", token)]
      )
      .text(), to: folder + "/config.json")
  }

  private var gpt2Configuration: [JSONMember] {
    [
      JSONMember("model_type", .string("gpt2")),
      JSONMember("architectures", .array([.string("GPT2LMHeadModel")])),
      JSONMember("vocab_size", .integer(architecture.vocabulary)),
      JSONMember("n_positions", .integer(architecture.context)),
      JSONMember("n_embd", .integer(architecture.modelWidth)),
      JSONMember("n_layer", .integer(architecture.layers)),
      JSONMember("n_head", .integer(architecture.heads)),
      JSONMember("n_inner", .integer(architecture.mlp?.width ?? 0)),
      JSONMember("activation_function", .string(architecture.mlp?.activation.rawValue ?? "gelu_new")),
      JSONMember("layer_norm_epsilon", .number(Double("\(architecture.normEpsilon ?? 1e-5)") ?? 1e-5)),
      JSONMember("tie_word_embeddings", .boolean(architecture.tiesUnembedding)),
      JSONMember("resid_pdrop", .number(0)), JSONMember("embd_pdrop", .number(0)),
      JSONMember("attn_pdrop", .number(0)),
    ]
  }

  private var generalConfiguration: [JSONMember] {
    [
      JSONMember("model_type", .string("headlamp")),
      JSONMember("d_vocab", .integer(architecture.vocabulary)),
      JSONMember("n_ctx", .integer(architecture.context)),
      JSONMember("n_layers", .integer(architecture.layers)),
      JSONMember("n_heads", .integer(architecture.heads)),
      JSONMember("d_model", .integer(architecture.modelWidth)),
      JSONMember("d_head", .integer(architecture.headWidth)),
      JSONMember("attn_only", .boolean(architecture.mlp == nil)),
      JSONMember("d_mlp", .integer(architecture.mlp?.width ?? 0)),
      JSONMember("act_fn", architecture.mlp.map { .string($0.activation.rawValue) } ?? .null),
      JSONMember("normalization_type", architecture.normEpsilon == nil ? .null : .string("LN")),
      JSONMember("eps", .number(Double("\(architecture.normEpsilon ?? 1e-5)") ?? 1e-5)),
      JSONMember("attention_dir", .string(architecture.isCausal ? "causal" : "bidirectional")),
      JSONMember("positional_embedding_type", .string(architecture.hasPositions ? "standard" : "none")),
      JSONMember("attn_scale", hasUsualScale ? .null : .number(Double(1 / architecture.scoreScale))),
    ]
  }

  /// The parameters under GPT-2's names.
  func gpt2Tensors(_ parameters: Tensor) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for slice in slices {
      var tensor = tensor(slice, of: parameters)
      // Hugging Face keeps the unembedding as [vocabulary, d_model].
      if slice.name == "unembed.W_U" { tensor = tensor.transposedMatrix() }
      tensors[Self.gpt2Name(of: slice.name)] = tensor
    }
    return tensors
  }

  /// `blocks.3.attn.W_O` → `transformer.h.3.attn.c_proj.weight`.
  static func gpt2Name(of name: String) -> String {
    let whole = [
      "embed.W_E": "transformer.wte.weight", "pos_embed.W_pos": "transformer.wpe.weight",
      "ln_final.w": "transformer.ln_f.weight", "ln_final.b": "transformer.ln_f.bias",
      "unembed.W_U": "lm_head.weight", "unembed.b_U": "lm_head.bias",
    ]
    let parts = [
      "ln1.w": "ln_1.weight", "ln1.b": "ln_1.bias", "ln2.w": "ln_2.weight", "ln2.b": "ln_2.bias",
      "attn.W_QKV": "attn.c_attn.weight", "attn.b_QKV": "attn.c_attn.bias",
      "attn.W_O": "attn.c_proj.weight", "attn.b_O": "attn.c_proj.bias", "mlp.W_in": "mlp.c_fc.weight",
      "mlp.b_in": "mlp.c_fc.bias", "mlp.W_out": "mlp.c_proj.weight", "mlp.b_out": "mlp.c_proj.bias",
    ]
    if let found = whole[name] { return found }
    let pieces = name.split(separator: ".", maxSplits: 2).map(String.init)
    guard pieces.count == 3, let part = parts[pieces[2]] else { return name }
    return "transformer.h.\(pieces[1]).\(part)"
  }

  /// The parameters under TransformerLens's names: one matrix a head for queries, keys and values.
  func generalTensors(_ parameters: Tensor) -> [String: Tensor] {
    let (heads, width) = (architecture.heads, architecture.headWidth)
    var tensors: [String: Tensor] = [:]
    for slice in slices {
      let tensor = tensor(slice, of: parameters)
      let isWeight = slice.name.hasSuffix("W_QKV")
      if isWeight || slice.name.hasSuffix("b_QKV") {
        let rows = tensor.reshaped([tensor.count / (3 * heads * width), 3 * heads * width])
        for (index, kind) in ["Q", "K", "V"].enumerated() {
          let columns = HeadColumns(
            count: heads, width: width, offset: index * heads * width, rowStride: 3 * heads * width)
          let part = gatherHeads(rows, columns).exchangingFirstAxes()
          tensors[slice.name.dropLast(3) + kind] = isWeight ? part : part.reshaped([heads, width])
        }
      } else if slice.name.hasSuffix("attn.W_O") {
        tensors[slice.name] = tensor.reshaped([heads, width, architecture.modelWidth])
      } else {
        tensors[slice.name] = tensor
      }
    }
    if architecture.tiesUnembedding, let table = tensors["embed.W_E"] {
      tensors["unembed.W_U"] = table.transposedMatrix()
    }
    return tensors
  }
}
