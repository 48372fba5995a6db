// What turns head outputs into activations: a trained autoencoder, or a null baseline in its place.

import Recordings
import SparseAutoencoders
import Tensors

/// Samples `[samples, d_model]` in, activations `[samples, features]` out, none negative.
public typealias HeadEncoder = @Sendable (Tensor) -> Tensor

extension SparseAutoencoder {
  /// The autoencoder's activations, as an encoder.
  public var encoding: HeadEncoder {
    let autoencoder = self
    return { autoencoder.activations(of: $0) }
  }
}

extension Recording {
  /// Encodes examples batch by batch, in order.
  /// - Parameter body: gets each example's activations, `[positions · heads, features]`.
  func forEachEncoded(
    averaging: Bool, encoder: HeadEncoder, _ body: (Int, Tensor) throws -> Void
  ) throws {
    let heads = description.layers * description.heads
    let rows = heads * positionCount(averaging: averaging)
    // About two thousand samples make a product large enough for every core.
    let batch = max(1, 2048 / rows)
    for start in stride(from: 0, to: examples.count, by: batch) {
      let range = start..<min(examples.count, start + batch)
      let samples = try headSamples(range, averaging: averaging)
      let activations = encoder(samples.reshaped([samples.count / description.dModel, description.dModel]))
      for (row, example) in range.enumerated() {
        try body(example, activations.rows(row * rows..<(row + 1) * rows))
      }
    }
  }
}
