// Factors on blocks of a matrix that is stored in 8-bit floats.

import Checkpoints
import Tensors

/// A factor for each block of a matrix; blocks at the edges may be smaller.
struct BlockScale: Sendable {
  /// `[block rows, block columns]`
  let factors: Tensor
  /// The size of a block.
  let rows: Int
  let columns: Int

  /// The factors of a matrix `[outputs, inputs]`: one for all of it, one a row, or one a block.
  ///
  /// - Parameter block: the size of blocks, where there is one for each.
  /// - Throws: `CheckpointError` where there are as many factors as fit none of these.
  init(
    _ file: SafetensorsFile, _ name: String, of shape: [Int], block: (rows: Int, columns: Int)
  ) throws(CheckpointError) {
    let stored = try file.tensor(name)
    let count = stored.count
    func parts(_ length: Int, _ size: Int) -> Int { (length + size - 1) / max(size, 1) }
    if count == 1 {
      (rows, columns, factors) = (max(1, shape[0]), max(1, shape[1]), stored.reshaped([1, 1]))
    } else if count == shape[0] {
      (rows, columns, factors) = (1, max(1, shape[1]), stored.reshaped([count, 1]))
    } else {
      let grid = [parts(shape[0], block.rows), parts(shape[1], block.columns)]
      guard stored.shape == grid else {
        throw .wrongShape(path: file.path, tensor: name, found: stored.shape, expected: grid)
      }
      (rows, columns, factors) = (block.rows, block.columns, stored)
    }
  }

  /// Multiplies a part of the matrix by its factors.
  func apply(to part: inout Tensor, rows partRows: Range<Int>, columns partColumns: Range<Int>) {
    let width = factors.shape[1]
    part.withMutableValues { part in
      factors.withValues { factors in
        var place = 0
        for row in partRows {
          for column in partColumns {
            part[place] *= factors[row / rows * width + column / columns]
            place += 1
          }
        }
      }
    }
  }
}
