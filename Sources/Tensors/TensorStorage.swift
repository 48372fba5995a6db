// Who owns a tensor's memory: an allocation of its own, or a mapped file.

import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory behind one or more tensors.
package final class TensorStorage: @unchecked Sendable {
  /// The first element. Written to only by the tensor that holds the sole reference.
  package let base: UnsafeMutablePointer<Float>
  let count: Int
  private let map: MappedFile?
  /// What `base` lies in, where it is an allocation.
  private let allocation: UnsafeMutableRawPointer?

  /// Mapped storage is never written to.
  var isReadOnly: Bool { map != nil }

  /// Allocations from this size on ask for huge pages, which take one fault where small ones take 512.
  private static let hugePage = 2 << 20

  /// An allocation of `count` floats on a 64-byte boundary.
  init(count: Int) {
    let byteCount = max(count, 1) * MemoryLayout<Float>.stride
    let bytes: UnsafeMutableRawPointer
    if byteCount >= 2 * Self.hugePage {
      bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: Self.hugePage)
      allocation = bytes
      #if os(Linux)
        // Whole huge pages only: the rest would take memory that nobody asked for.
        madvise(bytes, byteCount / Self.hugePage * Self.hugePage, MADV_HUGEPAGE)
      #endif
    } else {
      // Aligned here, as the C library's aligned allocations do not go back into the holes they left.
      let whole = UnsafeMutableRawPointer.allocate(byteCount: byteCount + 48, alignment: 16)
      bytes = whole.alignedUp(toMultipleOf: 64)
      allocation = whole
    }
    base = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    map = nil
  }

  /// A slice of a mapped file.
  /// - Precondition: `byteOffset` lies on a multiple of four within the file.
  package init(map: MappedFile, byteOffset: Int, count: Int) {
    precondition(byteOffset % 4 == 0 && byteOffset + 4 * count <= map.bytes.count)
    let start = UnsafeMutableRawPointer(mutating: map.bytes.baseAddress.map { $0 + byteOffset })
    base = (start ?? UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4))
      .bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
    self.map = map
    allocation = nil
  }

  deinit {
    allocation?.deallocate()
  }
}
