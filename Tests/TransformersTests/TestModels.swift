// Small random models for tests, made as folders so that loading is tested too.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Transformers

/// Writes a model folder of the general layout with random parameters, and loads it.
struct TestModel {
  var options: [String: JSONValue] = [
    "model_type": .string("headlamp"), "n_layers": .integer(3), "n_heads": .integer(4),
    "d_model": .integer(24), "d_head": .integer(5), "d_mlp": .integer(40), "d_vocab": .integer(30),
    "n_ctx": .integer(40), "act_fn": .string("gelu"), "normalization_type": .string("LN"),
  ]
  var seed: UInt64 = 1

  func write(to folder: String, metadata: [String: String] = [:]) throws {
    let members = options.sorted { $0.key < $1.key }.map { JSONMember($0.key, $0.value) }
    try writeFile(JSONValue.object(members).line, to: folder + "/config.json")
    try writeSafetensors(
      tensors.mapValues { .float($0) }, metadata: metadata, to: folder + "/model.safetensors")
  }

  func load() throws -> Transformer {
    try withTemporaryFolder { folder in
      try write(to: folder)
      return try Transformer(folder: folder)
    }
  }

  private func size(_ name: String) -> Int { options[name]?.wholeNumber ?? 0 }

  var tensors: [String: Tensor] {
    let (heads, dModel, dHead, dMLP) = (size("n_heads"), size("d_model"), size("d_head"), size("d_mlp"))
    var shapes: [String: [Int]] = [
      "embed.W_E": [size("d_vocab"), dModel], "pos_embed.W_pos": [size("n_ctx"), dModel],
      "unembed.W_U": [dModel, size("d_vocab")], "unembed.b_U": [size("d_vocab")],
      "ln_final.w": [dModel], "ln_final.b": [dModel],
    ]
    let (places, codes) = (options["codebook_at"]?.text ?? "", size("codebook_codes"))
    for layer in 0..<size("n_layers") {
      let name = "blocks.\(layer)."
      if ["heads", "both"].contains(places) { shapes[name + "attn.codebook.C"] = [heads, codes, dHead] }
      if ["mlp", "both"].contains(places) { shapes[name + "mlp.codebook.C"] = [codes, dModel] }
      for kind in ["Q", "K", "V"] {
        shapes[name + "attn.W_" + kind] = [heads, dModel, dHead]
        shapes[name + "attn.b_" + kind] = [heads, dHead]
      }
      shapes[name + "attn.W_O"] = [heads, dHead, dModel]
      shapes[name + "attn.b_O"] = [dModel]
      for norm in ["ln1", "ln2"] {
        shapes[name + norm + ".w"] = [dModel]
        shapes[name + norm + ".b"] = [dModel]
      }
      shapes[name + "mlp.W_in"] = [dModel, dMLP]
      shapes[name + "mlp.b_in"] = [dMLP]
      shapes[name + "mlp.W_out"] = [dMLP, dModel]
      shapes[name + "mlp.b_out"] = [dModel]
    }
    return Dictionary(
      uniqueKeysWithValues: shapes.map { name, shape in
        var generator = SeededGenerator(seed: seed, stream: name)
        let center = name.hasSuffix(".w") ? 1.0 : 0
        let values = (0..<shape.reduce(1, *)).map { _ in Float(center + 0.3 * generator.normal()) }
        return (name, Tensor(values, shape: shape))
      })
  }
}

/// Prompts of random tokens.
func randomPrompts(lengths: [Int], vocabulary: Int, seed: UInt64) -> [[Int]] {
  var generator = SeededGenerator(seed: seed)
  return lengths.map { length in (0..<length).map { _ in generator.index(below: vocabulary) } }
}

/// The largest absolute difference of two tensors of one shape.
func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  precondition(a.shape == b.shape, "shapes \(a.shape) and \(b.shape)")
  return zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
}
