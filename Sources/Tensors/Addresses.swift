// Addresses that parallel loops may share: each iteration writes to its own part.

/// Where floats are written.
struct FloatAddress: @unchecked Sendable {
  let address: UnsafeMutablePointer<Float>
  init(_ address: UnsafeMutablePointer<Float>) { self.address = address }
}

/// Where floats are read.
struct ConstFloatAddress: @unchecked Sendable {
  let address: UnsafePointer<Float>
  init(_ address: UnsafePointer<Float>) { self.address = address }
}

/// Where bytes are read.
struct ByteAddress: @unchecked Sendable {
  let address: UnsafeRawPointer
  init(_ address: UnsafeRawPointer) { self.address = address }
}
