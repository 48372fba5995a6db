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
    "gemma2-capped", "gemma2-uncapped", "gemma3-two-bases", "gpt2-scaled-by-layer", "gpt2-unscaled-wide-untied",
    "gpt_neo-mixed-layers", "gpt_neox-half-linear", "gpt_neox-sequential-whole", "llama-biased-linear",
    "llama-tied-llama3-wide-heads", "mistral-no-window", "mistral-window", "qwen2-late-window", "qwen3-biased",
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
}
