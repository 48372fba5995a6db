// Writing one tensor into a part of another.

extension Tensor {
  /// Writes the elements of `source` over those from index `offset` on.
  public mutating func write(_ source: Tensor, at offset: Int) {
    precondition(
      offset >= 0 && offset + source.count <= count, "\(source.shape) at \(offset) of shape \(shape)")
    let target = mutablePointer() + offset
    withExtendedLifetime(source.storage) { target.update(from: source.pointer, count: source.count) }
  }

  /// Subtracts another tensor of the same count, element by element.
  public mutating func subtract(_ other: Tensor) {
    precondition(count == other.count, "cannot subtract shape \(other.shape) from \(shape)")
    let (target, addend) = (FloatAddress(mutablePointer()), ConstFloatAddress(other.pointer))
    withExtendedLifetime(other.storage) {
      parallelRanges(count, minimum: 1 << 14) { range in
        for index in range { target.address[index] -= addend.address[index] }
      }
    }
  }

  /// Subtracts the elements of `source` from those from index `offset` on.
  public mutating func subtract(_ source: Tensor, at offset: Int) {
    precondition(
      offset >= 0 && offset + source.count <= count, "\(source.shape) at \(offset) of shape \(shape)")
    let (target, addend) = (FloatAddress(mutablePointer() + offset), ConstFloatAddress(source.pointer))
    withExtendedLifetime(source.storage) {
      parallelRanges(source.count, minimum: 1 << 14) { range in
        for index in range { target.address[index] -= addend.address[index] }
      }
    }
  }

  /// Adds `factor` times another tensor of the same count.
  public mutating func add(_ other: Tensor, times factor: Float) {
    precondition(count == other.count, "cannot add shape \(other.shape) to \(shape)")
    let (target, addend) = (FloatAddress(mutablePointer()), ConstFloatAddress(other.pointer))
    withExtendedLifetime(other.storage) {
      parallelRanges(count, minimum: 1 << 14) { range in
        for index in range { target.address[index] += factor * addend.address[index] }
      }
    }
  }
}
