// Who owns a tensor's memory: an allocation of its own, or a mapped file.

import Files

/// Memory behind one or more tensors.
final class TensorStorage: @unchecked Sendable {
  /// The first element. Written to only by the tensor that holds the sole reference.
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let map: MappedFile?

  /// Mapped storage is never written to.
  var isReadOnly: Bool { map != nil }

  /// An allocation of `count` floats on a 64-byte boundary.
  init(count: Int) {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    base = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    map = nil
  }

  /// A slice of a mapped file.
  /// - Precondition: `byteOffset` lies on a multiple of four within the file.
  init(map: MappedFile, byteOffset: Int, count: Int) {
    precondition(byteOffset % 4 == 0 && byteOffset + 4 * count <= map.bytes.count)
    let start = UnsafeMutableRawPointer(mutating: map.bytes.baseAddress.map { $0 + byteOffset })
    base = (start ?? UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4))
      .bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    self.map = map
  }

  deinit {
    if map == nil { UnsafeMutableRawPointer(base).deallocate() }
  }
}
