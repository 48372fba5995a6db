// Every family equals its published implementation on all stored activations, with padding; and real trained models
// equal what their own implementations recorded. The families' folders were written by Hugging Face transformers.

import Foundation
import TestSupport
import Testing

@testable import Transformers

@Suite struct FamilyTests {
  static let families = [
    "gpt2"
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

  @Test(.enabled(if: SharedReference.isPresent), arguments: families)
  func everyFamily(name: String) throws {
    try verify(SharedReference.path("families/" + name), "expected.safetensors", tolerance: 1e-4)
  }

  @Test(
    .enabled(if: SharedReference.isPresent),
    arguments: ["tiny-periodic-induction-2l4h", "llm-viz-gpt-nano-sort", "slm4096-char-4l4h"])
  func realModels(name: String) throws {
    try verify(SharedReference.path("models/" + name), "reference.safetensors", tolerance: 1e-4)
  }
}
