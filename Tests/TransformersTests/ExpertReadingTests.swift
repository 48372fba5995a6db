// Experts that no token passes stay in their file.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct ExpertReadingTests {
  private static let (experts, dModel, width, chosen) = (64, 64, 512, 2)

  /// A layer of 64 experts, 25 MB together.
  private func write(to folder: String) throws {
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
      let value = SafetensorsValue.float(Tensor(repeating: 0.01 * Float(expert + 1), shape: [width, dModel]))
      let module = layer + "mlp.experts.\(expert)."
      tensors[module + "gate_proj.weight"] = value
      tensors[module + "up_proj.weight"] = value
      tensors[module + "down_proj.weight"] = .float(
        Tensor(repeating: 0.01 * Float(expert + 1), shape: [dModel, width]))
    }
    try writeSafetensors(tensors, to: folder + "/model.safetensors")
  }

  /// Bytes of a file that this process has in its own pages, as the kernel counts them.
  private func resident(_ path: String) throws -> Int {
    var (isOfFile, kilobytes) = (false, 0)
    for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
      // A mapping's own line begins with its addresses.
      if line.prefix(while: { $0 != " " }).contains("-") { isOfFile = line.hasSuffix(path) }
      if isOfFile, line.hasPrefix("Rss:") {
        kilobytes += Int(line.split(separator: " ")[1]) ?? 0
      }
    }
    return kilobytes * 1024
  }

  @Test func onlyThoseThatTokensPassAreRead() throws {
    try withTemporaryFolder { folder in
      try write(to: folder)
      let path = folder + "/model.safetensors"
      let size = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped).count
      let model = try Transformer(folder: folder)
      let expert = 3 * Self.dModel * Self.width * 4
      #expect(size > Self.experts * expert)
      let loaded = try resident(path)
      #expect(loaded < 2 * expert, "\(loaded) of \(size) bytes are in memory before the first token")
      let batch = TokenBatch([[3, 5]])
      let weights = try model.run(batch, reading: [.block(layer: 0, .expertWeights)])[
        .block(layer: 0, .expertWeights)]
      let used = (0..<Self.experts).count { expert in
        (0..<2).contains { weights.reshaped([2, Self.experts])[$0, expert] != 0 }
      }
      #expect((2...4).contains(used))
      _ = try model.nextTokenLogits(batch)
      let read = try resident(path)
      // The kernel maps some pages around each that is touched.
      #expect(
        read >= used * expert && read < (used + 3) * expert, "\(read) of \(size) bytes, \(used) experts")
      // Every expert is read once every expert is passed.
      let prompts = (0..<16).map { one in (0..<16).map { ($0 * 7 + one * 5) % 16 } }
      _ = try model.nextTokenLogits(TokenBatch(prompts))
      #expect(try resident(path) > 2 * read)
    }
  }
}
