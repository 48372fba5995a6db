// Every family equals its published implementation on all stored activations, with padding; and real trained models
// equal what their own implementations recorded. The families' folders were written by Hugging Face transformers.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct FamilyTests {
  static let families = [
    "gpt2", "gpt_neo", "gpt_neox", "llama", "llama3_rope", "mistral", "qwen2", "qwen3", "gemma2",
    "gemma3_text",
  ]

  private func verify(_ folder: String, _ file: String, tolerance: Float) throws {
    let model = try Transformer(folder: folder)
    let reference = try ReferenceActivations(
      path: folder + "/" + file, layers: model.configuration.layers)
    #expect(reference.unrecognised.isEmpty)
    for row in try model.verify(against: reference) {
      #expect(row.largestError <= tolerance, "\(row.name) of \(folder)")
    }
  }

  @Test(arguments: ["gpt2", "llama", "gpt_neox"])
  func copiedFamilies(name: String) throws {
    try verify(
      packageFolder + "/Tests/TransformersTests/Golden/" + name, "expected.safetensors", tolerance: 1e-4)
  }

  @Test(.enabled(if: SharedReference.isPresent), arguments: families)
  func everyFamily(name: String) throws {
    try verify(SharedReference.path("families/" + name), "expected.safetensors", tolerance: 2e-4)
  }

  @Test(
    .enabled(if: SharedReference.isPresent),
    arguments: ["tiny-periodic-induction-2l4h", "llm-viz-gpt-nano-sort", "slm4096-char-4l4h"])
  func realModels(name: String) throws {
    try verify(SharedReference.path("models/" + name), "reference.safetensors", tolerance: 1e-4)
  }

  /// A real trained Llama with grouped heads: its own implementation's logits, and the story it tells.
  @Test(.enabled(if: SharedReference.isPresent))
  func aTrainedLlamaTellsItsStory() throws {
    let folder = SharedReference.path("models/stories260k-llama")
    let model = try Transformer(folder: folder)
    try verify(folder, "reference.safetensors", tolerance: 1e-3)

    struct Reference: Decodable { var greedy_story: String }
    let expected = try JSONDecoder().decode(
      Reference.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/reference.json"))
    ).greedy_story
    let pieces = try #require(try JSONValue(parsing: readText(at: folder + "/vocab.json")).elements)
      .map { $0.elements?.first?.text ?? "" }
    func text(_ ids: [Int]) -> String {
      ids.dropFirst().map { pieces[$0] == "<0x0A>" ? "\n" : pieces[$0] }.joined()
    }
    var story = try ReferenceActivations(path: folder + "/reference.safetensors", layers: 5).batch.prompt(0)
    while text(story).count < expected.count {
      let logits = try model.nextTokenLogits(TokenBatch([story])).values
      let best = try #require(logits.indices.max { logits[$0] < logits[$1] })
      story.append(best)
    }
    #expect(text(story).hasPrefix(expected))
  }

  @Test(.enabled(if: SharedReference.isPresent), arguments: families)
  func headOutputsEqualResultsInEveryFamily(name: String) throws {
    let folder = SharedReference.path("families/" + name)
    let model = try Transformer(folder: folder)
    let batch = try ReferenceActivations(
      path: folder + "/expected.safetensors", layers: model.configuration.layers
    ).batch
    let layers = model.configuration.layers
    let run = try model.run(batch, reading: Set((0..<layers).map { .result(layer: $0) }))
    let ends = try model.headOutputs(of: batch, pooling: .last)
    for layer in 0..<layers {
      for prompt in 0..<batch.count {
        let expected = run[.result(layer: layer)].row(prompt).row(batch.lengths[prompt] - 1)
        #expect(largestDifference(ends.row(prompt).row(layer), expected) < 1e-5, "\(name) \(layer)")
      }
    }
  }
}
