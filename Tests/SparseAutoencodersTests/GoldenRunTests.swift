// The trainer against the authors' own code: Golden/dsae-3x4.safetensors, made with it on torch 2.15.0 from random
// numbers (3 layers × 4 heads, d 24, 32 features, 40 examples of which 10 are trained on).

import Checkpoints
import SparseAutoencoders
import TestSupport
import Tensors
import Testing

struct GoldenRun {
  let file: SafetensorsFile

  init() throws {
    file = try SafetensorsFile(
      path: packageFolder + "/Tests/SparseAutoencodersTests/Golden/dsae-3x4.safetensors")
  }

  func autoencoder(_ stage: String) throws -> SparseAutoencoder {
    SparseAutoencoder(
      encoder: try file.tensor("\(stage).encoder.weight"),
      encoderBias: try file.tensor("\(stage).encoder.bias"),
      decoder: try file.tensor("\(stage).decoder.weight"), tiedBias: try file.tensor("\(stage).tied_bias"))
  }

  /// The samples of the training examples, `[10 · 12, 24]`.
  func samples() throws -> Tensor {
    let x = try file.tensor("x")
    let rows = try file.integers("train_rows")
    return Tensor(rows.flatMap { x.row($0).values }, shape: [rows.count * 12, 24])
  }
}

func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
  zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 0
}

@Suite struct GoldenRunTests {
  @Test func weightsAndLossesAreTheAuthors() throws {
    let golden = try GoldenRun()
    var trainer = AutoencoderTrainer(
      try golden.autoencoder("init"), samples: try golden.samples(),
      hyperparameters: Hyperparameters(features: 32))
    let losses = try golden.file.tensor("loss").values
    for step in 1...500 {
      let loss = trainer.step()
      #expect(abs(loss / Double(losses[step - 1]) - 1) < 1e-4, "loss of step \(step)")
      guard let tolerance: Float = [1: 1e-5, 2: 1e-5, 10: 1e-5, 500: 2e-3][step] else { continue }
      let expected = try golden.autoencoder("step\(step)")
      let found = trainer.autoencoder
      #expect(largestDifference(found.encoder, expected.encoder) < tolerance, "step \(step)")
      #expect(largestDifference(found.decoder, expected.decoder) < tolerance, "step \(step)")
      #expect(largestDifference(found.encoderBias, expected.encoderBias) < tolerance, "step \(step)")
      #expect(largestDifference(found.tiedBias, expected.tiedBias) < tolerance, "step \(step)")
    }
  }

  @Test func activationsAndCodesAreTheAuthors() throws {
    let golden = try GoldenRun()
    let autoencoder = try golden.autoencoder("step500")
    let x = try golden.file.tensor("x").reshaped([480, 24])
    let activations = autoencoder.activations(of: x)
    #expect(largestDifference(activations, try golden.file.tensor("learned")) < 1e-5)
    #expect(codes(of: activations, empty: .zero).map { Int($0) } == (try golden.file.integers("codes")))
  }
}
