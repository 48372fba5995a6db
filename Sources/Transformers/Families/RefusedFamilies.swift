// Kinds of models that people bring and that are not read, each with the reason.

/// The reason why a `model_type` is refused, by its name.
let refusedFamilies: [String: String] = {
  let compressed = "its heads share compressed keys and values (multi-head latent attention)"
  let recurrent = "some of its layers are recurrences rather than attention"
  let twoParts = "it is an encoder with a decoder, whose heads attend across the two"
  return [
    "deepseek_v2": compressed, "deepseek_v3": compressed, "kimi_k2": compressed, "minicpm3": compressed,
    "mamba": "it has no attention heads", "mamba2": "it has no attention heads",
    "rwkv": "it has no attention heads",
    "falcon_mamba": "it has no attention heads", "jamba": recurrent, "bamba": recurrent, "zamba": recurrent,
    "zamba2": recurrent, "recurrent_gemma": recurrent, "falcon_h1": recurrent, "nemotron_h": recurrent,
    "granitemoehybrid": recurrent, "lfm2": "some of its layers are convolutions rather than attention",
    "qwen3_next":
      "three of four layers are recurrences (gated delta networks), and attention's output passes a gate",
    "qwen3_5":
      "three of four layers are recurrences (gated delta networks), and attention's output passes a gate",
    "llama4":
      "it scales and chunks attention by position, and routes what experts read rather than what they write",
    "llama4_text":
      "it scales and chunks attention by position, and routes what experts read rather than what they write",
    "t5": twoParts, "mt5": twoParts, "umt5": twoParts, "bart": twoParts, "mbart": twoParts,
    "pegasus": twoParts,
    "marian": twoParts, "whisper": twoParts, "encoder-decoder": twoParts,
    "gemma3n": "its layers read several streams and share keys and values",
    "gemma3n_text": "its layers read several streams and share keys and values",
    "xlnet": "it predicts tokens in shuffled orders with two streams",
    "deberta": "its scores are made of contents and positions apart (disentangled attention)",
    "deberta-v2": "its scores are made of contents and positions apart (disentangled attention)",
    "mpt": "its own layout of weights is not described here",
    "dbrx": "its own layout of weights is not described here",
  ]
}()
