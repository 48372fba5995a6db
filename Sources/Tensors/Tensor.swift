// The one array type of the project: contiguous float32 in row-major order, with value semantics.

import Files

/// A contiguous float32 array in row-major order.
///
/// A tensor is a value: a copy shares storage until one side is written to. Storage is either allocated (64-byte
/// aligned) or a slice of a mapped file, which is copied on the first write.
public struct Tensor: Sendable {
  /// The length of every axis; `[]` is a scalar.
  public private(set) var shape: [Int]
  package var storage: TensorStorage
  let offset: Int

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// A tensor of zeros.
  public init(zeros shape: [Int]) {
    self.init(uninitialized: shape)
    storage.base.update(repeating: 0, count: count)
  }

  /// A tensor whose elements are all `value`.
  public init(repeating value: Float, shape: [Int]) {
    self.init(uninitialized: shape)
    storage.base.update(repeating: value, count: count)
  }

  /// A tensor of the given elements in row-major order.
  /// - Precondition: `values.count` is the product of `shape`.
  public init(_ values: some Collection<Float>, shape: [Int]) {
    self.init(uninitialized: shape)
    precondition(values.count == count, "\(values.count) values do not fill shape \(shape)")
    let target = UnsafeMutableBufferPointer(start: storage.base, count: count)
    _ = target.update(from: values)
  }

  /// A vector of the given elements.
  public init(_ values: some Collection<Float>) {
    self.init(values, shape: [values.count])
  }

  /// A tensor whose elements `fill` writes; they start undefined.
  public init(shape: [Int], filledBy fill: (inout MutableSpan<Float>) throws -> Void) rethrows {
    self.init(uninitialized: shape)
    try withMutableValues { try fill(&$0) }
  }

  /// A tensor with undefined elements, for an operation that overwrites them all.
  public init(uninitialized shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "a negative length in shape \(shape)")
    self.shape = shape
    storage = TensorStorage(count: shape.reduce(1, *))
    offset = 0
  }

  /// Takes another shape with undefined elements, in the memory it has where that is large enough and no one else's.
  ///
  /// Memory that a process touches for the first time costs more than memory that it has used before.
  public mutating func become(uninitialized shape: [Int]) {
    let needed = shape.reduce(1, *)
    if storage.isReadOnly || storage.count < needed || !isKnownUniquelyReferenced(&storage) {
      self = Tensor(uninitialized: shape)
    } else {
      self = Tensor(shape: shape, storage: storage, offset: 0)
    }
  }

  /// A tensor on storage that exists already.
  package init(shape: [Int], storage: TensorStorage, offset: Int) {
    self.shape = shape
    self.storage = storage
    self.offset = offset
  }

  /// Read access to the elements in row-major order.
  public func withValues<Result, Failure>(
    _ body: (Span<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withExtendedLifetime(storage) { () throws(Failure) -> Result in
      try body(UnsafeBufferPointer(start: storage.base + offset, count: count).span)
    }
  }

  /// Write access to the elements in row-major order; copies first where the storage is shared or mapped.
  public mutating func withMutableValues<Result, Failure>(
    _ body: (inout MutableSpan<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let pointer = mutablePointer()
    var span = UnsafeMutableBufferPointer(start: pointer, count: count).mutableSpan
    return try body(&span)
  }

  /// The elements as an array.
  public var values: [Float] {
    withValues { span in
      [Float](unsafeUninitializedCapacity: span.count) { buffer, initialized in
        for index in span.indices { buffer[index] = span[index] }
        initialized = span.count
      }
    }
  }

  /// One element. Convenient, not fast: loops belong in `withValues`.
  public subscript(_ indices: Int...) -> Float {
    get { storage.base[offset + flatIndex(indices)] }
    set {
      let index = flatIndex(indices)
      mutablePointer()[index] = newValue
    }
  }

  /// The same elements under another shape of the same count; nothing is copied.
  public func reshaped(_ newShape: [Int]) -> Tensor {
    precondition(newShape.reduce(1, *) == count, "shape \(shape) cannot become \(newShape)")
    return Tensor(shape: newShape, storage: storage, offset: offset)
  }

  /// Rows `range` of the first axis, sharing storage.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
    let width = shape.dropFirst().reduce(1, *)
    return Tensor(
      shape: [range.count] + shape.dropFirst(), storage: storage, offset: offset + range.lowerBound * width)
  }

  /// Row `index` of the first axis without that axis, sharing storage.
  public func row(_ index: Int) -> Tensor {
    rows(index..<index + 1).reshaped(Array(shape.dropFirst()))
  }

  private func flatIndex(_ indices: [Int]) -> Int {
    precondition(indices.count == rank, "\(indices.count) indices into shape \(shape)")
    var flat = 0
    for (axis, index) in indices.enumerated() {
      precondition(index >= 0 && index < shape[axis], "index \(indices) outside shape \(shape)")
      flat = flat * shape[axis] + index
    }
    return flat
  }
}

extension Tensor: Equatable {
  /// Whether shapes are equal and elements are equal as numbers.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    guard left.shape == right.shape else { return false }
    return left.withValues { a in
      right.withValues { b in a.indices.allSatisfy { a[$0] == b[$0] } }
    }
  }
}

extension Tensor {
  /// The first element, for reading. For modules that hold pointers; keep `storage` alive while it is used.
  package var pointer: UnsafePointer<Float> { UnsafePointer(storage.base + offset) }

  /// The first element, for writing, after making the storage this tensor's own.
  package mutating func mutablePointer() -> UnsafeMutablePointer<Float> {
    if storage.isReadOnly || !isKnownUniquelyReferenced(&storage) {
      let copy = TensorStorage(count: count)
      copy.base.update(from: storage.base + offset, count: count)
      self = Tensor(shape: shape, storage: copy, offset: 0)
    }
    return storage.base + offset
  }
}
