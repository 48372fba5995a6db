// Who owns a tensor's memory: an allocation of its own, or a mapped file.

import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory behind one or more tensors.
final class TensorStorage: @unchecked Sendable {
  /// The first element. Written to only by the tensor that holds the sole reference.
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let map: MappedFile?

  /// Mapped storage is never written to.
  var isReadOnly: Bool { map != nil }

  /// Allocations from this size on ask for huge pages, which take one fault where small ones take 512.
  private static let hugePage = 2 << 20

  /// An allocation of `count` floats on a 64-byte boundary.
  init(count: Int) {
    let byteCount = max(count, 1) * MemoryLayout<Float>.stride
    let isLarge = byteCount >= 2 * Self.hugePage
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? Self.hugePage : 64)
    #if os(Linux)
      // Whole huge pages only: the rest would take memory that nobody asked for.
      if isLarge { madvise(bytes, byteCount / Self.hugePage * Self.hugePage, MADV_HUGEPAGE) }
    #endif
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
