// Reading config.json so that nothing in it is overlooked.

import Files

/// The options of a config.json, read one by one; what no one has read in the end is refused.
struct ConfigurationReader {
  /// Where the options come from, for messages.
  let path: String
  private var options: [String: JSONValue]
  private var seen: Set<String> = ["model_type"]

  /// Reads the file.
  /// - Throws: `FileError`, or `TransformerError.malformedConfiguration`.
  init(path: String) throws {
    let text = try readText(at: path)
    do {
      self = try ConfigurationReader(path: path, json: JSONValue(parsing: text))
    } catch let error as JSONSyntaxError {
      throw TransformerError.malformedConfiguration(
        path: path, problem: "line \(error.line), column \(error.column): \(error.problem)")
    }
  }

  /// Options of an object that lies within another configuration, or stands alone.
  init(path: String, json: JSONValue) throws(TransformerError) {
    guard let members = json.members else {
      throw .malformedConfiguration(path: path, problem: "it is not a JSON object")
    }
    self.path = path
    // An option that is null is one that was not set.
    options = Dictionary(members.map { ($0.key, $0.value) }) { $1 }.filter { $0.value != .null }
  }

  /// Options of a model's text part, with those that stand for the whole model beside it.
  init(
    path: String, json: JSONValue, inheriting outer: ConfigurationReader
  ) throws(TransformerError) {
    try self.init(path: path, json: json)
    for name in ["tie_word_embeddings", "quantization_config"] where options[name] == nil {
      options[name] = outer.options[name]
    }
  }

  /// The value of an option, as it stands; nil where it is absent or null.
  mutating func value(_ name: String) -> JSONValue? {
    seen.insert(name)
    return options[name]
  }

  /// A whole number from `minimum` on.
  mutating func count(_ name: String, minimum: Int = 1) throws(TransformerError) -> Int {
    guard let count = try optionalCount(name, minimum: minimum) else { throw missing(name) }
    return count
  }

  /// A whole number from `minimum` on, or nil where the option is absent.
  mutating func optionalCount(_ name: String, minimum: Int = 1) throws(TransformerError) -> Int? {
    guard let value = value(name) else { return nil }
    guard let count = value.wholeNumber, count >= minimum else {
      throw bad(name, "must be a whole number from \(minimum), not \(value.line)")
    }
    let limit = layerCounts.contains(name) ? Limit.layers : .size
    guard count <= limit.value else { throw bad(name, "asks for " + limit.refusal(asked: count, of: name)) }
    return count
  }

  /// A number, or nil where the option is absent.
  mutating func optionalNumber(_ name: String) throws(TransformerError) -> Double? {
    guard let value = value(name) else { return nil }
    guard let number = value.anyNumber else { throw bad(name, "must be a number, not \(value.line)") }
    return number
  }

  /// A number above zero.
  mutating func positiveNumber(_ name: String, default fallback: Double) throws(TransformerError) -> Double {
    let number = try optionalNumber(name) ?? fallback
    guard number > 0 else { throw bad(name, "must be above zero, not \(number)") }
    return number
  }

  /// True or false.
  mutating func truth(_ name: String, default fallback: Bool) throws(TransformerError) -> Bool {
    guard let value = value(name) else { return fallback }
    guard let truth = value.truth else { throw bad(name, "must be true or false, not \(value.line)") }
    return truth
  }

  /// A text, or nil where the option is absent.
  mutating func optionalText(_ name: String) throws(TransformerError) -> String? {
    guard let value = value(name) else { return nil }
    guard let text = value.text else { throw bad(name, "must be a text, not \(value.line)") }
    return text
  }

  /// One of several words, each with its meaning.
  mutating func choice<Meaning>(
    _ name: String, default fallback: String? = nil, _ meanings: [String: Meaning]
  ) throws(TransformerError) -> Meaning {
    guard let word = try optionalText(name) ?? fallback else { throw missing(name) }
    guard let meaning = meanings[word] else {
      throw .unsupportedOption(path: path, option: name, value: word)
    }
    return meaning
  }

  /// Texts, one for each layer, or nil where the option is absent.
  mutating func optionalTexts(_ name: String, count: Int) throws(TransformerError) -> [String]? {
    guard let value = value(name) else { return nil }
    guard let texts = value.elements?.compactMap(\.text), texts.count == count else {
      throw bad(name, "must be a list of \(count) texts")
    }
    return texts
  }

  /// Accepts an option only at one value, or absent.
  mutating func require(_ name: String, _ expected: JSONValue) throws(TransformerError) {
    guard let value = value(name), value != expected else { return }
    throw .unsupportedOption(path: path, option: name, value: value.line)
  }

  /// Refuses every option that has not been read and is not known to leave the numbers as they are.
  func finish() throws(TransformerError) {
    let unknown = options.keys.filter { name in
      !seen.contains(name) && !harmlessOptions.contains(name)
        && !harmlessPrefixes.contains { name.hasPrefix($0) }
    }
    if let option = unknown.min() {
      throw .unsupportedOption(path: path, option: option, value: options[option]?.line ?? "")
    }
  }

  /// An error about one option.
  func bad(_ option: String, _ problem: String) -> TransformerError {
    .badOption(path: path, option: option, problem: problem)
  }

  private func missing(_ option: String) -> TransformerError { bad(option, "is missing") }
}

/// The names under which families give their number of layers.
private let layerCounts: Set<String> = ["num_hidden_layers", "n_layer", "n_layers", "num_layers"]

/// Options of config.json that say nothing about a forward pass: training, generation, file keeping.
private let harmlessOptions: Set<String> = [
  "architectures", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id",
  "dtype", "torch_dtype", "transformers_version", "use_cache", "initializer_range", "gradient_checkpointing",
  "pretraining_tp", "auto_map", "id2label", "label2id", "num_labels", "problem_type", "return_dict",
  "finetuning_task", "vocab", "n_ctx", "is_decoder", "hidden_dropout", "hidden_dropout_prob",
  "attention_dropout",
  "classifier_dropout", "embed_dropout", "resid_dropout", "embd_pdrop", "attn_pdrop", "resid_pdrop",
  "dropout",
  "output_attentions", "output_hidden_states", "tokenizer_class", "cache_implementation", "license", "name",
  "chunk_size_feed_forward", "is_encoder_decoder", "max_length", "min_length", "do_sample", "temperature",
  "top_k", "top_p", "num_beams", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
  "use_bfloat16",
  "reorder_and_upcast_attn", "layerdrop", "init_std", "output_router_logits", "router_aux_loss_coef",
  "router_jitter_noise", "residual_dropout", "embedding_dropout", "embed_pdrop",
  "attention_probs_dropout_prob",
  "slow_but_exact", "initializer_factor", "activation_dropout", "prefix", "mlm_probability",
  "gradient_checkpoint", "gradient_checkpointing_kwargs", "layer_norm_dtype", "description", "created_by",
]

private let harmlessPrefixes = [
  "summary_", "task_specific_params", "_name_or_path", "_attn_implementation", "unsloth_",
]
