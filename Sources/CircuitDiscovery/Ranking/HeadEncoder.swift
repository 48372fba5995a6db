// What turns head outputs into activations: a trained autoencoder, or a null baseline in its place.

import Recordings
import SparseAutoencoders
import Tensors

/// Samples `[samples, d_model]` in, activations `[samples, features]` out, none negative.
public typealias HeadEncoder = @Sendable (Tensor) -> Tensor

extension SparseAutoencoder {
  /// The autoencoder's activations, as an encoder.
  public var encoding: HeadEncoder {
    let encoder = UnitEncoder(self)
    return { encoder.activations(of: $0) }
  }
}

extension Recording {
  /// Encodes the examples on every core and goes through what was found in order.
  ///
  /// - Parameters:
  ///   - find: what is wanted of an example's activations, `[positions · heads, features]`.
  ///   - body: gets each example and what was found, in order.
  func forEachEncoded<Found: Sendable>(
    averaging: Bool, encoder: HeadEncoder, find: @Sendable (Tensor) -> Found,
    _ body: (Int, Found) throws -> Void
  ) throws {
    let heads = description.layers * description.heads
    let rows = heads * positionCount(averaging: averaging)
    // About five hundred samples make a product large enough for one core.
    let batch = max(1, 512 / rows)
    let ahead = Threads.count
    for start in stride(from: 0, to: examples.count, by: batch * ahead) {
      let remaining = (examples.count - start + batch - 1) / batch
      let batches = parallelMap(min(ahead, remaining)) { index in
        let first = start + index * batch
        return Result { () throws(RecordingError) in
          let samples = try headSamples(first..<min(examples.count, first + batch), averaging: averaging)
          let activations = encoder(
            samples.reshaped([samples.count / description.dModel, description.dModel]))
          return (0..<activations.shape[0] / rows).map { row in
            find(activations.rows(row * rows..<(row + 1) * rows))
          }
        }
      }
      for (index, found) in batches.enumerated() {
        for (row, value) in try found.get().enumerated() { try body(start + index * batch + row, value) }
      }
    }
  }
}
