// Addresses that parallel loops may share: each iteration writes to its own part.

/// Where floats are written.
package struct FloatAddress: @unchecked Sendable {
  package let address: UnsafeMutablePointer<Float>
  package init(_ address: UnsafeMutablePointer<Float>) { self.address = address }
}

/// Where floats are read.
package struct ConstFloatAddress: @unchecked Sendable {
  package let address: UnsafePointer<Float>
  package init(_ address: UnsafePointer<Float>) { self.address = address }
}

/// Where bytes are read.
package struct ByteAddress: @unchecked Sendable {
  package let address: UnsafeRawPointer
  package init(_ address: UnsafeRawPointer) { self.address = address }
}
