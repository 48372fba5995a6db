// A model in a GGUF file as its family's own config.json and tensor names would have it.

import Files
import Tensors

/// A GGUF file, read as a model folder is.
public struct GGUFModel: Sendable {
  /// The options that config.json would have.
  public let configuration: JSONValue
  /// The tensors under the family's own names.
  public let checkpoint: SafetensorsCheckpoint
  /// Whether queries and keys are stored so that neighbouring coordinates are turned together, whatever the family does.
  public let turnsNeighbours: Bool
  /// Whether gains that the family stores less one are stored whole.
  public let hasWholeGains: Bool

  /// The names that GGUF gives the architectures that are read.
  public static let architectures = [
    "gemma", "gemma2", "gemma3", "granite", "llama", "olmo2", "qwen2", "qwen3",
  ]

  /// Reads a file.
  /// - Throws: `FileError`, or `CheckpointError` where it is damaged or of an architecture that is not read.
  public init(path: String) throws {
    let file = try GGUFFile(path: path)
    guard let architecture = file.facts["general.architecture"]?.text else {
      throw CheckpointError.malformed(path: path, problem: "it does not say its architecture")
    }
    guard Self.architectures.contains(architecture) else {
      throw CheckpointError.malformed(
        path: path,
        problem: "its architecture is '\(architecture)'; of GGUF files, "
          + Self.architectures.joined(separator: ", ") + " are read")
    }
    let names = Self.names(architecture, file)
    checkpoint = SafetensorsCheckpoint(file: file.tensors.renamed(names))
    configuration = .object(Self.options(architecture, file))
    turnsNeighbours = ["llama", "granite"].contains(architecture)
    hasWholeGains = architecture.hasPrefix("gemma")
  }

  private static func options(_ architecture: String, _ file: GGUFFile) -> [JSONMember] {
    func fact(_ name: String) -> JSONValue? { file.facts[architecture + "." + name] }
    let heads = fact("attention.head_count")
    var members = [
      JSONMember("model_type", .string(architecture == "gemma3" ? "gemma3_text" : architecture)),
      JSONMember("tie_word_embeddings", .boolean(file.tensors.entries["output.weight"] == nil)),
    ]
    let vocabulary = file.tensors.entries["token_embd.weight"]?.shape.first
    if let vocabulary { members.append(JSONMember("vocab_size", .integer(vocabulary))) }
    for (name, value) in [
      ("num_hidden_layers", fact("block_count")), ("num_attention_heads", heads),
      ("num_key_value_heads", fact("attention.head_count_kv") ?? heads),
      ("hidden_size", fact("embedding_length")),
      ("intermediate_size", fact("feed_forward_length")), ("max_position_embeddings", fact("context_length")),
      ("head_dim", fact("attention.key_length")), ("rms_norm_eps", fact("attention.layer_norm_rms_epsilon")),
      ("rope_theta", fact("rope.freq_base")), ("rope_scaling", scaling(fact, file)),
      ("sliding_window", fact("attention.sliding_window")),
      ("attn_logit_softcapping", fact("attn_logit_softcapping")),
      ("final_logit_softcapping", fact("final_logit_softcapping")),
      ("embedding_multiplier", fact("embedding_scale")), ("residual_multiplier", fact("residual_scale")),
      ("attention_multiplier", fact("attention.scale")), ("logits_scaling", fact("logit_scale")),
    ] {
      guard let value else { continue }
      members.append(JSONMember(name, value))
    }
    if architecture.hasPrefix("gemma"), architecture != "gemma" {
      // The scale of scores is not among the facts; all sizes but Gemma 2's and 3's largest take d_head.
      let layers = fact("block_count")?.wholeNumber ?? 0
      let (width, count) = (fact("embedding_length")?.wholeNumber ?? 0, heads?.wholeNumber ?? 1)
      let isLargest = architecture == "gemma2" && layers == 46 || architecture == "gemma3" && layers == 62
      let scale = isLargest ? width / max(count, 1) : fact("attention.key_length")?.wholeNumber ?? 256
      members.append(JSONMember("query_pre_attn_scalar", .integer(scale)))
    }
    return members
  }

  private static func scaling(_ fact: (String) -> JSONValue?, _ file: GGUFFile) -> JSONValue? {
    // Llama 3.1 and its like: a factor for each angle, as a tensor.
    if let factors = try? file.tensors.tensor("rope_freqs.weight").values {
      let list = JSONValue.array(factors.map { .number(Double($0)) })
      return .object([
        JSONMember("rope_type", .string("longrope")), JSONMember("short_factor", list),
        JSONMember("long_factor", list), JSONMember("attention_factor", .number(1)),
      ])
    }
    guard let type = fact("rope.scaling.type")?.text, type != "none" else { return nil }
    var members = [JSONMember("rope_type", .string(type))]
    if let factor = fact("rope.scaling.factor") { members.append(JSONMember("factor", factor)) }
    if let context = fact("rope.scaling.original_context_length") {
      members.append(JSONMember("original_max_position_embeddings", context))
    }
    return .object(members)
  }

  /// The family's names of all tensors, by GGUF's.
  private static func names(_ architecture: String, _ file: GGUFFile) -> [String: String] {
    let isAround = ["gemma2", "gemma3"].contains(architecture)
    let isBehind = architecture == "olmo2"
    let modules = [
      "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
      "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
      "attn_k_norm": "self_attn.k_norm", "post_attention_norm": "post_attention_layernorm",
      "ffn_norm": isAround ? "pre_feedforward_layernorm" : isBehind ? "" : "post_attention_layernorm",
      "post_ffw_norm": "post_feedforward_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
      "ffn_down": "mlp.down_proj",
    ]
    var names: [String: String] = [:]
    for name in file.tensors.names {
      let parts = name.split(separator: ".")
      switch name {
      case "token_embd.weight": names[name] = "model.embed_tokens.weight"
      case "output_norm.weight": names[name] = "model.norm.weight"
      case "output.weight": names[name] = "lm_head.weight"
      default:
        guard parts.count == 4, parts[0] == "blk", let module = modules[String(parts[2])] else { continue }
        names[name] = "model.layers.\(parts[1]).\(module).\(parts[3])"
      }
    }
    return names
  }
}
