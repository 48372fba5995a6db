// What can be wrong with a tensor that came from a file.

/// A failure to read or write tensors, with the place it happened.
public enum CheckpointError: Error, Equatable, Sendable {
  /// A file of tensors is not what its header says, or holds what is refused.
  case malformed(path: String, problem: String)
  /// A tensor that was asked for is not in the file.
  case missing(path: String, tensor: String)
  /// A tensor has another shape than expected.
  case wrongShape(path: String, tensor: String, found: [Int], expected: [Int])
  /// A tensor is stored in an element type that cannot be read.
  case unsupportedType(path: String, tensor: String, type: String)
  /// A tensor holds a value that is not a finite number.
  case notFinite(path: String, tensor: String, index: Int)
}
