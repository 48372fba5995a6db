// Whether a model was loaded right, as `verify` says it: the fixtures are those of TransformersTests/Golden.

import Foundation
import TestSupport
import Testing

@Suite struct VerifyTests {
  static let folder = packageFolder + "/Tests/TransformersTests/Golden/gpt2"
  static let reference = folder + "/expected.safetensors"

  @Test func aModelThatWasLoadedRightPasses() throws {
    let result = try headlamp(["verify", Self.folder, "--against", Self.reference])
    #expect(result.exitCode == 0)
    #expect(result.output.contains("logits"))
    #expect(result.output.contains("all within 0.0001: 16 activations of 3 prompts, 39 tokens"))
    #expect(result.errors.isEmpty)
  }

  @Test func beyondTheToleranceIsAFailure() throws {
    let result = try headlamp(["verify", Self.folder, "--against", Self.reference, "--tolerance", "1e-9"])
    #expect(result.exitCode == 1)
    #expect(result.output.contains("  beyond"))
    #expect(result.errors.hasPrefix("headlamp: \(Self.folder) differs from the reference by up to "))
    #expect(result.errors.hasSuffix(", beyond 1e-9\n") || result.errors.contains("beyond 1e-09"))
    let negative = try headlamp(["verify", Self.folder, "--against", Self.reference, "--tolerance", "-1"])
    #expect(negative.exitCode == 2)
  }

  @Test(
    .enabled(if: SharedReference.isPresent),
    arguments: [
      "tiny-periodic-induction-2l4h", "llm-viz-gpt-nano-sort", "slm4096-char-4l4h",
    ])
  func realModelsByOthersPass(name: String) throws {
    let folder = SharedReference.path("models/" + name)
    let result = try headlamp(["verify", folder, "--against", folder + "/reference.safetensors"])
    #expect(result.exitCode == 0, "\(result.errors)")
    #expect(result.output.contains("logits") && result.output.contains("attn_pattern.0"))
  }
}
