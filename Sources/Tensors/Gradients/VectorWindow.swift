// A run of elements inside a tensor that holds many parameters.

/// Where a vector lies inside a tensor's elements.
public struct VectorWindow: Sendable, Equatable {
  /// Index of the first element.
  public var offset: Int
  /// The number of elements.
  public var count: Int

  /// `count` elements from `offset` on.
  public init(offset: Int = 0, count: Int) {
    self.offset = offset
    self.count = count
  }

  /// Stops the program where the window reaches past `tensor`.
  func check(in tensor: Tensor) {
    precondition(
      offset >= 0 && count >= 0 && offset + count <= tensor.count,
      "a vector of \(count) at \(offset) in \(tensor.count) elements")
  }
}
