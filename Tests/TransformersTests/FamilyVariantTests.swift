// Every family with the options that its published configurations vary, in both spellings of the rotary settings. The
// models were written by Golden/family_variants.py with each family's own implementation.

import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct FamilyVariantTests {
  private static let folder = packageFolder + "/Tests/TransformersTests/Golden/variants/"

  static let names = [
    "gemma2-capped", "gemma2-uncapped", "gemma3-two-bases", "gpt2-scaled-by-layer",
    "gpt2-unscaled-wide-untied",
    "gpt_neo-mixed-layers", "gpt_neox-half-linear", "gpt_neox-sequential-whole", "gpt_neox-unbiased",
    "llama-biased-linear",
    "llama-tied-llama3-wide-heads", "mistral-no-window", "mistral-window", "qwen2-late-window",
    "qwen3-biased",
  ]

  private func verify(_ folder: String, _ name: String) throws {
    let model = try Transformer(folder: folder)
    let reference = try ReferenceActivations(
      path: Self.folder + name + "/expected.safetensors", layers: model.configuration.layers)
    #expect(reference.unrecognised.isEmpty)
    let rows = try model.verify(against: reference)
    #expect(rows.count == model.configuration.layers + 1)
    for row in rows { #expect(row.largestError <= 2e-4, "\(row.name) of \(name)") }
  }

  @Test(arguments: names)
  func equalsItsOwnImplementation(name: String) throws {
    try verify(Self.folder + name, name)
  }

  @Test(arguments: names.filter { !["gpt2-", "gpt_neo-"].contains(where: $0.hasPrefix) })
  func equalsItInTheOlderSpelling(name: String) throws {
    try withTemporaryFolder { folder in
      let files = FileManager.default
      for (from, to) in [("config-older.json", "config.json"), ("model.safetensors", "model.safetensors")] {
        try files.copyItem(atPath: Self.folder + name + "/" + from, toPath: folder + "/" + to)
      }
      try verify(folder, name)
    }
  }

  /// Keys and values are named by group: taking one away silences the query heads that read it, and no others.
  @Test func aValueGroupBelongsToItsQueryHeads() throws {
    let model = try Transformer(folder: Self.folder + "llama-biased-linear")
    #expect(model.configuration.heads == 4 && model.configuration.keyValueHeads == 2)
    let batch = TokenBatch([[1, 2, 3, 4, 5], [6, 7]])
    let z = HookPoint.z(layer: 0)
    let clean = try model.run(batch, reading: [z])[z]
    let edited = try model.run(batch, reading: [z], applying: [.values(layer: 0): .zeroingHead(1)])[z]
    for head in 0..<4 {
      let values = (0..<4).map { edited[0, 3, head, $0] }
      let expected = (0..<4).map { head < 2 ? clean[0, 3, head, $0] : 0 }
      #expect(values == expected, "head \(head)")
    }
    #expect(throws: TransformerError.self) { try model.run(batch, reading: [.z(layer: 3)]) }
  }
}
