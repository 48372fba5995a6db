// Picking, exchanging and summing rows.

import CKernels

extension Tensor {
  /// Rows of the first axis in the given order, copied: `[indices.count, …]`.
  /// - Precondition: every index lies within the first axis.
  public func gatherRows(_ indices: [Int32]) -> Tensor {
    var result = Tensor(uninitialized: [indices.count] + shape.dropFirst())
    gatherRows(indices, into: &result)
    return result
  }

  /// Rows of the first axis in the given order, copied into `target`.
  public func gatherRows(_ indices: [Int32], into target: inout Tensor) {
    let width = shape.dropFirst().reduce(1, *)
    precondition(
      target.count == indices.count * width, "\(indices.count) rows of \(shape) into \(target.shape)")
    precondition(indices.allSatisfy { $0 >= 0 && $0 < shape[0] }, "a row outside shape \(shape)")
    let out = target.mutablePointer()
    withExtendedLifetime(storage) {
      for (place, index) in indices.enumerated() {
        (out + place * width).update(from: pointer + Int(index) * width, count: width)
      }
    }
  }

  /// Writes the rows of `source` to the rows of this tensor that `indices` names.
  public mutating func scatterRows(_ source: Tensor, to indices: [Int32]) {
    let width = shape.dropFirst().reduce(1, *)
    precondition(
      source.count == indices.count * width, "\(source.shape) as \(indices.count) rows of \(shape)")
    precondition(indices.allSatisfy { $0 >= 0 && $0 < shape[0] }, "a row outside shape \(shape)")
    let out = mutablePointer()
    withExtendedLifetime(source.storage) {
      for (place, index) in indices.enumerated() {
        (out + Int(index) * width).update(from: source.pointer + place * width, count: width)
      }
    }
  }
}

extension Tensor {
  /// The tensor with its first two axes exchanged, copied: `[a, b, …]` becomes `[b, a, …]`.
  public func exchangingFirstAxes() -> Tensor {
    var result = Tensor(zeros: [0])
    exchangeFirstAxes(into: &result)
    return result
  }

  /// As `exchangingFirstAxes()`, in the memory of another tensor.
  public func exchangeFirstAxes(into result: inout Tensor) {
    precondition(rank >= 2, "exchanging the first two axes of shape \(shape)")
    let (outer, inner) = (shape[0], shape[1])
    let width = shape.dropFirst(2).reduce(1, *)
    result.become(uninitialized: [inner, outer] + shape.dropFirst(2))
    let (source, target) = (ConstFloatAddress(pointer), FloatAddress(result.mutablePointer()))
    withExtendedLifetime(storage) {
      parallelRanges(outer, minimum: max(1, (1 << 15) / max(1, inner * width))) { range in
        for i in range {
          for j in 0..<inner {
            (target.address + (j * outer + i) * width)
              .update(from: source.address + (i * inner + j) * width, count: width)
          }
        }
      }
    }
  }
}

/// Every row `count` times, one after the other: `[rows, width]` becomes `[rows, count, width]`.
public func repeatRows(_ x: Tensor, _ count: Int) -> Tensor {
  let width = x.shape.last ?? 1
  let rows = width == 0 ? 0 : x.count / width
  let result = Tensor(uninitialized: [rows, count, width])
  let (source, target) = (ConstFloatAddress(x.pointer), FloatAddress(result.storage.base))
  withExtendedLifetime((x.storage, result.storage)) {
    parallelRanges(rows, minimum: max(1, (1 << 14) / max(1, count * width))) { range in
      for row in range {
        for place in 0..<count {
          (target.address + (row * count + place) * width).update(
            from: source.address + row * width, count: width)
        }
      }
    }
  }
  return result
}

/// The sum of `[rows, heads, width]` over heads: `[rows, width]`.
public func sumOverHeads(_ x: Tensor) -> Tensor {
  precondition(x.rank == 3, "summing shape \(x.shape) over heads")
  let (heads, width) = (x.shape[1], x.shape[2])
  var result = Tensor(zeros: [x.shape[0], width])
  let (source, target) = (ConstFloatAddress(x.pointer), FloatAddress(result.mutablePointer()))
  withExtendedLifetime((x.storage, result.storage)) {
    parallelRanges(x.shape[0], minimum: max(1, (1 << 14) / max(1, heads * width))) { range in
      for row in range {
        for head in 0..<heads {
          ck_add(target.address + row * width, source.address + (row * heads + head) * width, width)
        }
      }
    }
  }
  return result
}

/// The mean of some rows of `x` for each list: `[lists.count, width]`; zeros for an empty list.
public func averageRows(of x: Tensor, _ lists: [[Int32]]) -> Tensor {
  let width = x.shape.last ?? 1
  let rowCount = width == 0 ? 0 : x.count / width
  precondition(
    lists.allSatisfy { $0.allSatisfy { $0 >= 0 && $0 < rowCount } }, "a row outside shape \(x.shape)")
  var result = Tensor(zeros: [lists.count, width])
  let (source, target) = (ConstFloatAddress(x.pointer), FloatAddress(result.mutablePointer()))
  withExtendedLifetime((x.storage, result.storage)) {
    parallelRanges(lists.count, minimum: 16) { range in
      for index in range {
        let mean = target.address + index * width
        for row in lists[index] { ck_add(mean, source.address + Int(row) * width, width) }
        ck_scale(mean, 1 / Float(max(1, lists[index].count)), width)
      }
    }
  }
  return result
}
