// Experts that no token passes stay in their file.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct ExpertReadingTests {
  private static let (experts, dModel, width, chosen) = (64, 64, 32, 2)

  /// A layer of 64 experts, of which those not named have parameters that are not numbers.
  private func write(to folder: String, sound: Set<Int>? = nil) throws {
    let (count, dModel, width) = (Self.experts, Self.dModel, Self.width)
    let config = """
      {"model_type": "qwen3_moe", "vocab_size": 16, "hidden_size": \(dModel), "intermediate_size": \(width),
       "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 16,
       "max_position_embeddings": 32, "num_experts": \(count), "num_experts_per_tok": \(Self.chosen),
       "moe_intermediate_size": \(width), "rope_theta": 100.0, "tie_word_embeddings": true}
      """
    try writeFile(config, to: folder + "/config.json")
    var generator = SeededGenerator(seed: 3)
    func random(_ shape: [Int]) -> SafetensorsValue {
      .float(Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) * 0.2 }, shape: shape))
    }
    let layer = "model.layers.0."
    var tensors: [String: SafetensorsValue] = [
      "model.embed_tokens.weight": random([16, dModel]), "model.norm.weight": random([dModel]),
      layer + "input_layernorm.weight": random([dModel]),
      layer + "post_attention_layernorm.weight": random([dModel]),
      layer + "self_attn.q_norm.weight": random([16]), layer + "self_attn.k_norm.weight": random([16]),
      layer + "mlp.gate.weight": random([count, dModel]),
    ]
    for name in ["q_proj", "k_proj", "v_proj", "o_proj"] {
      tensors[layer + "self_attn.\(name).weight"] = random([dModel, dModel])
    }
    for expert in 0..<count {
      let number = sound?.contains(expert) ?? true ? 0.01 * Float(expert + 1) : Float.nan
      let value = SafetensorsValue.float(Tensor(repeating: number, shape: [width, dModel]))
      let module = layer + "mlp.experts.\(expert)."
      tensors[module + "gate_proj.weight"] = value
      tensors[module + "up_proj.weight"] = value
      tensors[module + "down_proj.weight"] = .float(
        Tensor(repeating: number, shape: [dModel, width]))
    }
    try writeSafetensors(tensors, to: folder + "/model.safetensors")
  }

  /// Parameters that are not numbers are refused where they are read: an expert of nothing else shows whether it is.
  @Test func onlyThoseThatTokensPassAreRead() throws {
    try withTemporaryFolder { folder in
      try write(to: folder)
      let point = HookPoint.block(layer: 0, .expertWeights)
      let batch = TokenBatch([[3, 5]])
      let whole = try Transformer(folder: folder)
      let weights = try whole.run(batch, reading: [point])[point].reshaped([2, Self.experts])
      let used = Set((0..<Self.experts).filter { weights[0, $0] != 0 || weights[1, $0] != 0 })
      #expect((2...4).contains(used.count))
      let logits = try whole.nextTokenLogits(batch)

      try write(to: folder, sound: used)
      let model = try Transformer(folder: folder)
      #expect(try model.nextTokenLogits(batch) == logits)
      let others = TokenBatch([Array(0..<16)])
      _ = try whole.run(others, reading: [point])
      #expect(throws: (any Error).self) { try model.nextTokenLogits(others) }
    }
  }
}
