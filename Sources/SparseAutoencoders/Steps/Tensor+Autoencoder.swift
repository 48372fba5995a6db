// Operations on rows and columns that training an autoencoder needs.

import CKernels
import Tensors

extension Tensor {
  /// Divides every row of a matrix by its length.
  public mutating func scaleRowsToUnitLength() {
    let (rows, columns) = (matrix.rows, matrix.columns)
    let base = FloatAddress(mutablePointer())
    parallelRanges(rows, minimum: 16) { range in
      ck_unit_rows(base.address + range.lowerBound * columns, range.count, columns)
    }
  }

  /// Divides every column of a matrix by its length.
  public mutating func scaleColumnsToUnitLength() {
    let (rows, columns) = (matrix.rows, matrix.columns)
    let base = FloatAddress(mutablePointer())
    var scratch = Tensor(zeros: [columns])
    let sums = FloatAddress(scratch.mutablePointer())
    columnBlocks(columns) { block in
      ck_unit_columns(base.address, rows, columns, block.lowerBound, block.upperBound, sums.address)
    }
  }

  /// The length of each row of a matrix.
  func rowLengths() -> [Float] {
    let columns = matrix.columns
    return withExtendedLifetime(storage) {
      (0..<matrix.rows).map { row in
        ck_dot(pointer + row * columns, pointer + row * columns, columns).squareRoot()
      }
    }
  }

  /// The product of each row of a matrix with a vector.
  func products(with vector: Tensor) -> [Float] {
    let columns = matrix.columns
    return withExtendedLifetime((storage, vector.storage)) {
      (0..<matrix.rows).map { ck_dot(pointer + $0 * columns, vector.pointer, columns) }
    }
  }

  /// The sum of some rows of a matrix, each times its weight (of all rows' weights).
  func weightedRowSum(_ weights: [Float], rows: [Int32]) -> [Float] {
    var sum = [Float](repeating: 0, count: matrix.columns)
    withValues { values in
      for row in rows where weights[Int(row)] != 0 {
        let start = Int(row) * sum.count
        for column in sum.indices { sum[column] += weights[Int(row)] * values[start + column] }
      }
    }
    return sum
  }

  /// A matrix of some rows.
  func gatheringRows(_ rows: [Int32]) -> Tensor {
    let columns = matrix.columns
    var gathered = Tensor(uninitialized: [rows.count, columns])
    let target = gathered.mutablePointer()
    withExtendedLifetime(storage) {
      for (place, row) in rows.enumerated() {
        (target + place * columns).update(from: pointer + Int(row) * columns, count: columns)
      }
    }
    return gathered
  }

  /// The sum of a matrix's rows.
  func columnSums() -> [Float] {
    let (rows, columns) = (matrix.rows, matrix.columns)
    var sums = [Float](repeating: 0, count: columns)
    withValues { values in
      for row in 0..<rows {
        for column in 0..<columns { sums[column] += values[row * columns + column] }
      }
    }
    return sums
  }

  /// From a decoder's product to `scale` times its residual against `samples`.
  /// - Returns: the squared length of all residuals.
  mutating func becomeResidualGradients(_ samples: Tensor, bias: Tensor, scale: Float) -> Double {
    let (rows, width) = (samples.shape[0], samples.shape[1])
    let (x, b) = (ConstFloatAddress(samples.pointer), ConstFloatAddress(bias.pointer))
    let g = FloatAddress(mutablePointer())
    let piece = 64
    return parallelMap((rows + piece - 1) / piece) { index in
      ck_residual_gradients(
        x.address, b.address, width, index * piece, min(rows, (index + 1) * piece), scale, g.address)
    }.reduce(0, +)
  }
}

extension Tensor {
  /// A matrix with rows and columns exchanged.
  public func transposed() -> Tensor {
    let (rows, columns) = (matrix.rows, matrix.columns)
    var result = Tensor(uninitialized: [columns, rows])
    let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      for row in 0..<rows {
        for column in 0..<columns { target[column * rows + row] = pointer[row * columns + column] }
      }
    }
    return result
  }
}
