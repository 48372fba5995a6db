// Whether all elements are numbers.

import CKernels

extension Tensor {
  /// The index, in row-major order, of the first element that is infinite or not a number; nil where all are finite.
  public func firstNotFinite() -> Int? {
    let total = count
    let start = ConstFloatAddress(pointer)
    let first = withExtendedLifetime(storage) {
      let pieces = max(1, min(Threads.count, total >> 16))
      let found = parallelMap(pieces) { piece in
        let (from, to) = (total * piece / pieces, total * (piece + 1) / pieces)
        let index = ck_first_not_finite(start.address + from, to - from)
        return index == to - from ? total : from + index
      }
      return found.min() ?? total
    }
    return first == total ? nil : first
  }
}
