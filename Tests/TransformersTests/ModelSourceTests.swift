// What stands for a model on disk: GGUF files, parts of larger models, quantised folders, tables no larger than prompts.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct ModelSourceTests {
  private static let golden = packageFolder + "/Tests/TransformersTests/Golden/"

  /// GGUF files in several formats equal transformers on the same dequantised weights (CheckpointsTests/Golden/make_gguf.py).
  @Test(arguments: ["llama", "qwen3", "gemma2"]) func gguf(architecture: String) throws {
    let path = Self.golden + "gguf/" + architecture
    let model = try Transformer(folder: path + ".gguf")
    let reference = try ReferenceActivations(path: path + ".safetensors", layers: 2)
    for row in try model.verify(against: reference) { #expect(row.largestError < 2e-4, "\(row.name)") }
  }

  /// 8-bit floats with a factor a block, a row, or a matrix, and without (Golden/float8.py).
  @Test func float8() throws {
    let model = try Transformer(folder: Self.golden + "float8")
    let reference = try ReferenceActivations(path: Self.golden + "float8/expected.safetensors", layers: 2)
    for row in try model.verify(against: reference) { #expect(row.largestError < 1e-5, "\(row.name)") }
  }

  /// GPT-OSS's experts in 4-bit floats, as they are published (Golden/mxfp4.py).
  @Test func microscaledExperts() throws {
    let model = try Transformer(folder: Self.golden + "mxfp4")
    let reference = try ReferenceActivations(path: Self.golden + "mxfp4/expected.safetensors", layers: 1)
    for row in try model.verify(against: reference) { #expect(row.largestError < 1e-4, "\(row.name)") }
  }

  private func withModel(
    _ name: String, _ change: (inout [String: Any]) throws -> Void, _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      for file in ["config.json", "model.safetensors"] {
        try FileManager.default.copyItem(
          atPath: Self.golden + "more/" + name + "/" + file, toPath: folder + "/" + file)
      }
      let url = URL(fileURLWithPath: folder + "/config.json")
      var options = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
      try change(&options)
      try JSONSerialization.data(withJSONObject: options).write(to: url)
      try body(folder)
    }
  }

  private func verify(_ folder: String, _ name: String) throws {
    let reference = try ReferenceActivations(
      path: Self.golden + "more/" + name + "/expected.safetensors", layers: 2)
    for row in try Transformer(folder: folder).verify(against: reference) {
      #expect(row.largestError < 1e-4, "\(row.name)")
    }
  }

  @Test(arguments: [10_000_000, 1 << 31]) func tablesAreAsLongAsPromptsNotAsContexts(context: Int) throws {
    try withModel("gemma", { $0["max_position_embeddings"] = context }) { try verify($0, "gemma") }
  }

  @Test func theTextPartOfALargerModelIsRead() throws {
    try withModel(
      "gemma",
      { options in
        let text = options
        options = ["model_type": "somevision", "text_config": text, "vision_config": ["hidden_size": 3]]
      }
    ) { try verify($0, "gemma") }
  }

  @Test(arguments: ["gptq", "awq", "bitsandbytes", "mxfp4"])
  func quantisedFoldersAreRefusedByName(method: String) throws {
    try withModel("gemma", { $0["quantization_config"] = ["quant_method": method, "bits": 4] }) { folder in
      #expect(
        throws: TransformerError.quantizedWeights(path: folder + "/config.json", method: method)
      ) { try Transformer(folder: folder) }
    }
  }

  @Test func familiesThatDoNotFitAreRefusedWithTheReason() throws {
    for (modelType, reason) in refusedFamilies {
      try withModel("gemma", { $0["model_type"] = modelType }) { folder in
        #expect(
          throws: TransformerError.refusedFamily(
            path: folder + "/config.json", modelType: modelType, reason: reason)
        ) { try Transformer(folder: folder) }
      }
    }
    #expect(Set(refusedFamilies.keys).isDisjoint(with: families.map { $0.modelType }))
  }

  @Test(arguments: [
    ("phi", "qk_layernorm", "true"),
    ("bloom", "apply_residual_connection_post_layernorm", "true"),
    ("bert", "position_embedding_type", "\"relative_key\""),
    ("llama-yarn", "rope_parameters", "{\"rope_type\": \"strange\", \"rope_theta\": 10}"),
  ])
  func optionsThatCannotBeHonouredAreRefused(name: String, option: String, value: String) throws {
    let value = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    try withModel(name, { $0[option] = value }) { folder in
      let error = #expect(throws: TransformerError.self) { try Transformer(folder: folder) }
      if case .unsupportedOption(_, let named, _)? = error {
        #expect(named == option || named == "rope_type")
      } else {
        Issue.record("\(String(describing: error))")
      }
    }
  }

  /// A prompt's angles depend on its own length alone, in one batch with shorter ones and with shared beginnings.
  @Test func longPromptsHaveAnglesOfTheirOwn() throws {
    let model = try Transformer(folder: Self.golden + "more/phi3-longrope-long")
    let prompts = [[3, 4], [3, 4, 5, 6], [3, 4, 5]]
    let point = HookPoint.result(layer: 1)
    let together = try model.run(TokenBatch(prompts), reading: [point])[point]
    let ends = try model.headOutputs(of: TokenBatch(prompts), pooling: .last)
    for (index, prompt) in prompts.enumerated() {
      let alone = try model.run(TokenBatch([prompt]), reading: [point])[point].row(0).row(prompt.count - 1)
      #expect(largestDifference(together.row(index).row(prompt.count - 1), alone) < 1e-5)
      #expect(largestDifference(ends.row(index).row(1), alone) < 1e-5)
    }
  }
}
