// Between packed rows, as the model computes, and padded batches, as people read them.

import Tensors

extension TokenBatch {
  /// Rows `[rows, …]` without padding as `[prompt, position, …]`, with zeros past each prompt's end.
  func padded(_ rows: Tensor) -> Tensor {
    let tail = Array(rows.shape.dropFirst())
    if lengths.allSatisfy({ $0 == width }) { return rows.reshaped([count, width] + tail) }
    var result = Tensor(zeros: [count * width] + tail)
    result.scatterRows(rows, to: rowIndices)
    return result.reshaped([count, width] + tail)
  }

  /// The rows of a padded value `[prompt, position, …]` that hold tokens.
  func packed(_ padded: Tensor) -> Tensor {
    let tail = Array(padded.shape.dropFirst(2))
    let rows = padded.reshaped([count * width] + tail)
    return lengths.allSatisfy { $0 == width } ? rows : rows.gatherRows(rowIndices)
  }

  private var rowIndices: [Int32] {
    lengths.indices.flatMap { prompt in
      (0..<lengths[prompt]).map { Int32(prompt * width + $0) }
    }
  }
}
