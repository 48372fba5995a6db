// Sums that gradients are made of, in place.

import CKernels

extension Tensor {
  /// Sets every element to zero.
  public mutating func setToZero() {
    mutablePointer().update(repeating: 0, count: count)
  }

  /// Adds the first `count` elements of `other` to this tensor's.
  public mutating func add(_ other: Tensor, count: Int) {
    precondition(count <= self.count && count <= other.count, "\(count) elements of \(shape), \(other.shape)")
    let target = mutablePointer()
    withExtendedLifetime(other.storage) { ck_add(target, other.pointer, count) }
  }

  /// Takes the shape and the elements of another tensor, in the memory it has where that is large enough.
  public mutating func assign(_ other: Tensor) {
    become(uninitialized: other.shape)
    let target = mutablePointer()
    withExtendedLifetime(other.storage) { target.update(from: other.pointer, count: other.count) }
  }

  /// Takes a shape and zeros, in the memory it has where that is large enough.
  public mutating func become(zeros shape: [Int]) {
    become(uninitialized: shape)
    setToZero()
  }

  /// Adds the sum over the rows of a window of `x` to a vector that lies in this tensor: the gradient of a bias.
  public mutating func addColumnSums(of x: Tensor, _ window: MatrixWindow, to vector: VectorWindow) {
    vector.check(in: self)
    precondition(
      !window.transposed && window.columns == vector.count && window.lastIndex < max(x.count, 1),
      "sums of \(window.columns) columns in shape \(x.shape)")
    let target = mutablePointer() + vector.offset
    withExtendedLifetime(x.storage) {
      for row in 0..<window.rows {
        ck_add(target, x.pointer + window.offset + row * window.rowStride, window.columns)
      }
    }
  }

  /// Adds row `i` of `x` to row `indices[i]` of the table that lies in this tensor: the gradient of `gatherRows`.
  /// - Precondition: every index is a row of the table.
  public mutating func scatterRows(of x: Tensor, to indices: [Int32], _ table: MatrixWindow) {
    let width = table.columns
    precondition(
      indices.count * width <= x.count && table.lastIndex < max(count, 1),
      "\(indices.count) rows of \(width) from shape \(x.shape)")
    let target = mutablePointer() + table.offset
    withExtendedLifetime(x.storage) {
      for (row, index) in indices.enumerated() {
        precondition(index >= 0 && index < table.rows, "row \(index) of \(table.rows)")
        ck_add(target + Int(index) * table.rowStride, x.pointer + row * width, width)
      }
    }
  }

  /// The sum of the squares of all elements, in double precision.
  public var sumOfSquares: Double {
    withExtendedLifetime(storage) { ck_sum_of_squares(pointer, count) }
  }
}
