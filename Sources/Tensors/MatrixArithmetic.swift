// Arithmetic on whole matrices: products element by element, row vectors spread over rows, softmax of every row.

import CKernels

extension Tensor {
  /// Builds a tensor of this shape from this one's and another's elements, range by range in parallel.
  private func combined(
    with other: Tensor,
    _ body: @Sendable (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    precondition(other.shape == shape, "\(other.shape) beside \(shape)")
    var result = Tensor(uninitialized: shape)
    nonisolated(unsafe) let (left, right) = (pointer, other.pointer)
    nonisolated(unsafe) let target = result.mutablePointer()
    withExtendedLifetime((storage, other.storage)) {
      parallelRanges(count, minimum: 1 << 16) { range in
        let start = range.lowerBound
        body(left + start, right + start, target + start, range.count)
      }
    }
    return result
  }

  /// Builds a matrix of this shape row by row in parallel.
  private func mapRows(_ body: @Sendable (Int, UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let width = shape.last ?? 1
    let rows = width == 0 ? 0 : count / width
    nonisolated(unsafe) let target = result.mutablePointer()
    parallelRanges(rows, minimum: max(1, (1 << 14) / max(width, 1))) { range in
      for row in range { body(row, target + row * width) }
    }
    return result
  }

  /// Element by element `x·y`.
  public func times(_ other: Tensor) -> Tensor {
    combined(with: other) { left, right, target, count in
      for index in 0..<count { target[index] = left[index] * right[index] }
    }
  }

  /// Element by element `x + scale·y`.
  public func plus(_ other: Tensor, scaledBy scale: Float = 1) -> Tensor {
    combined(with: other) { left, right, target, count in
      ck_blend(left, right, count, 1, scale, 0, target)
    }
  }

  /// `scale·x`.
  public func scaled(by scale: Float) -> Tensor {
    combined(with: self) { left, _, target, count in ck_scale_shift(left, count, scale, 0, target) }
  }

  /// Every row of a matrix times `vector`, element by element.
  public func timesRow(_ vector: Tensor) -> Tensor {
    precondition(vector.count == shape.last, "a row of \(vector.count) for \(shape)")
    nonisolated(unsafe) let (source, factors) = (pointer, vector.pointer)
    let width = vector.count
    return withExtendedLifetime((storage, vector.storage)) {
      mapRows { row, target in
        for column in 0..<width { target[column] = source[row * width + column] * factors[column] }
      }
    }
  }

  /// Every row of a matrix plus `vector`.
  public func plusRow(_ vector: Tensor) -> Tensor {
    precondition(vector.count == shape.last, "a row of \(vector.count) for \(shape)")
    nonisolated(unsafe) let (source, terms) = (pointer, vector.pointer)
    let width = vector.count
    return withExtendedLifetime((storage, vector.storage)) {
      mapRows { row, target in
        for column in 0..<width { target[column] = source[row * width + column] + terms[column] }
      }
    }
  }

  /// The softmax of every row.
  public func softmaxOfRows() -> Tensor {
    nonisolated(unsafe) let source = pointer
    let width = shape.last ?? 1
    return withExtendedLifetime(storage) {
      mapRows { row, target in
        let values = source + row * width
        var largest = -Float.infinity
        for column in 0..<width where values[column] > largest { largest = values[column] }
        ck_scale_shift(values, width, 1, -largest, target)
        ck_exp(target, width)
        var sums = [0.0, 0.0]
        ck_sum_and_dot(target, target, width, &sums)
        ck_scale_shift(target, width, Float(1 / sums[0]), 0, target)
      }
    }
  }

  /// The gradient of `softmaxOfRows`, called on its result: `p ⊙ (g − Σ p·g)` in every row.
  public func softmaxOfRowsGradient(_ gradient: Tensor) -> Tensor {
    precondition(gradient.shape == shape, "gradient \(gradient.shape) of \(shape)")
    nonisolated(unsafe) let (result, upstream) = (pointer, gradient.pointer)
    let width = shape.last ?? 1
    return withExtendedLifetime((storage, gradient.storage)) {
      mapRows { row, target in
        let (p, g) = (result + row * width, upstream + row * width)
        var sums = [0.0, 0.0]
        ck_sum_and_dot(p, g, width, &sums)
        let mean = Float(sums[1])
        for column in 0..<width { target[column] = p[column] * (g[column] - mean) }
      }
    }
  }

  /// Columns `range` of a matrix, copied.
  public func columns(_ range: Range<Int>) -> Tensor {
    let width = shape.last ?? 1
    precondition(
      rank == 2 && range.lowerBound >= 0 && range.upperBound <= width, "columns \(range) of \(shape)")
    var result = Tensor(uninitialized: [shape[0], range.count])
    let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      for row in 0..<shape[0] {
        (target + row * range.count).update(
          from: pointer + row * width + range.lowerBound, count: range.count)
      }
    }
    return result
  }

  /// Two matrices of as many rows side by side.
  public func beside(_ other: Tensor) -> Tensor {
    precondition(rank == 2 && other.rank == 2 && shape[0] == other.shape[0], "\(other.shape) beside \(shape)")
    let (width, otherWidth) = (shape[1], other.shape[1])
    var result = Tensor(uninitialized: [shape[0], width + otherWidth])
    let target = result.mutablePointer()
    withExtendedLifetime((storage, other.storage)) {
      for row in 0..<shape[0] {
        let start = target + row * (width + otherWidth)
        start.update(from: pointer + row * width, count: width)
        (start + width).update(from: other.pointer + row * otherWidth, count: otherWidth)
      }
    }
    return result
  }

  /// A matrix read the other way round: `[rows, columns]` → `[columns, rows]`.
  public func transposedMatrix() -> Tensor {
    precondition(rank == 2, "a matrix is needed, not shape \(shape)")
    let (rows, width) = (shape[0], shape[1])
    var result = Tensor(uninitialized: [width, rows])
    nonisolated(unsafe) let source = pointer
    nonisolated(unsafe) let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      // Tiles of 32 × 32 stay in cache from both sides.
      parallelFor((rows + 31) / 32) { tile in
        for firstColumn in stride(from: 0, to: width, by: 32) {
          for row in tile * 32..<min(rows, tile * 32 + 32) {
            for column in firstColumn..<min(width, firstColumn + 32) {
              target[column * rows + row] = source[row * width + column]
            }
          }
        }
      }
    }
    return result
  }

  /// The given rows of a matrix, in the given order.
  public func gatheringRows(_ rows: [Int]) -> Tensor {
    let width = shape.dropFirst().reduce(1, *)
    precondition(rows.allSatisfy { $0 >= 0 && $0 < shape[0] }, "a row outside \(shape)")
    var result = Tensor(uninitialized: [rows.count] + shape.dropFirst())
    let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      for (index, row) in rows.enumerated() {
        (target + index * width).update(from: pointer + row * width, count: width)
      }
    }
    return result
  }

  /// The given columns of a matrix, in the given order; −1 stands for a column of `filler`.
  public func gatheringColumns(_ columns: [Int], filler: Float = 0) -> Tensor {
    let width = shape.last ?? 1
    precondition(rank == 2 && columns.allSatisfy { $0 >= -1 && $0 < width }, "a column outside \(shape)")
    var result = Tensor(uninitialized: [shape[0], columns.count])
    let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      for row in 0..<shape[0] {
        let (source, line) = (pointer + row * width, target + row * columns.count)
        for (index, column) in columns.enumerated() { line[index] = column < 0 ? filler : source[column] }
      }
    }
    return result
  }
}
