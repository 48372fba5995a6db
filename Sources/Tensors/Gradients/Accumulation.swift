// Sums that gradients are made of, in place.

import CKernels

extension Tensor {
  /// Sets every element to zero.
  public mutating func setToZero() {
    mutablePointer().update(repeating: 0, count: count)
  }

  /// Sets the first `count` elements to zero.
  public mutating func setToZero(first count: Int) {
    precondition(count <= self.count, "\(count) elements of shape \(shape)")
    mutablePointer().update(repeating: 0, count: count)
  }

  /// Adds the first `count` elements of `other` to this tensor's.
  public mutating func add(_ other: Tensor, count: Int) {
    precondition(count <= self.count && count <= other.count, "\(count) elements of \(shape), \(other.shape)")
    let target = mutablePointer()
    withExtendedLifetime(other.storage) { ck_add(target, other.pointer, count) }
  }

  /// Copies the first `count` elements of `other` here.
  public mutating func copy(_ other: Tensor, count: Int) {
    precondition(count <= self.count && count <= other.count, "\(count) elements of \(shape), \(other.shape)")
    let target = mutablePointer()
    withExtendedLifetime(other.storage) { target.update(from: other.pointer, count: count) }
  }

  /// Adds a vector that lies in `parameters` to each of the first `rows` rows.
  public mutating func addToRows(_ vector: VectorWindow, of parameters: Tensor, rows: Int) {
    vector.check(in: parameters)
    precondition(rows * vector.count <= count, "\(rows) rows of \(vector.count) in shape \(shape)")
    let target = mutablePointer()
    withExtendedLifetime(parameters.storage) {
      ck_add_row(target, parameters.pointer + vector.offset, rows, vector.count)
    }
  }

  /// Adds the sum of the first `rows` rows of `x` to a vector that lies in this tensor: the gradient of a bias.
  public mutating func addRowSums(of x: Tensor, rows: Int, to vector: VectorWindow) {
    vector.check(in: self)
    precondition(rows * vector.count <= x.count, "\(rows) rows of \(vector.count) in shape \(x.shape)")
    let target = mutablePointer() + vector.offset
    withExtendedLifetime(x.storage) { ck_add_column_sums(x.pointer, target, rows, vector.count) }
  }

  /// Row `i` becomes (or, where `adding`, gains) row `indices[i]` of the table that lies in `parameters`.
  /// - Precondition: every index is a row of the table.
  public mutating func gatherRows(
    _ indices: [Int], of parameters: Tensor, _ table: MatrixWindow, adding: Bool = false
  ) {
    let width = table.columns
    precondition(
      indices.count * width <= count && table.lastIndex < max(parameters.count, 1),
      "\(indices.count) rows of \(width) into shape \(shape)")
    let target = mutablePointer()
    withExtendedLifetime(parameters.storage) {
      for (row, index) in indices.enumerated() {
        precondition(index >= 0 && index < table.rows, "row \(index) of \(table.rows)")
        let source = parameters.pointer + table.offset + index * table.rowStride
        if adding {
          ck_add(target + row * width, source, width)
        } else {
          (target + row * width).update(from: source, count: width)
        }
      }
    }
  }

  /// Adds row `i` of `x` to row `indices[i]` of the table that lies in this tensor: the gradient of `gatherRows`.
  /// - Precondition: every index is a row of the table.
  public mutating func scatterRows(of x: Tensor, to indices: [Int], _ table: MatrixWindow) {
    let width = table.columns
    precondition(
      indices.count * width <= x.count && table.lastIndex < max(count, 1),
      "\(indices.count) rows of \(width) from shape \(x.shape)")
    let target = mutablePointer() + table.offset
    withExtendedLifetime(x.storage) {
      for (row, index) in indices.enumerated() {
        precondition(index >= 0 && index < table.rows, "row \(index) of \(table.rows)")
        ck_add(target + index * table.rowStride, x.pointer + row * width, width)
      }
    }
  }

  /// The sum of the squares of all elements, in double precision.
  public var sumOfSquares: Double {
    withExtendedLifetime(storage) { ck_sum_of_squares(pointer, count) }
  }
}
