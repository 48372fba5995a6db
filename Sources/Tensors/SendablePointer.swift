// A way for pointers into parallel loops.

/// A pointer handed to a parallel loop whose pieces write to different places.
///
/// For the modules that may hold pointers; whoever makes one keeps the memory alive while the loop runs.
package struct SendablePointer<Element>: @unchecked Sendable {
  /// The first element.
  package let base: UnsafeMutablePointer<Element>

  /// A pointer to memory that parallel pieces share.
  package init(_ base: UnsafeMutablePointer<Element>) { self.base = base }

  /// A pointer to memory that parallel pieces only read.
  package init(reading base: UnsafePointer<Element>) { self.base = UnsafeMutablePointer(mutating: base) }
}
