// Part of a mapped file, with the map that it lies in.

/// Bytes of a mapped file, valid as long as this value lives.
public struct MappedBytes: @unchecked Sendable {
  /// The bytes.
  public let bytes: UnsafeRawBufferPointer
  private let map: MappedFile
  private let range: Range<Int>

  /// Some bytes of a file.
  /// - Precondition: the range lies within the file.
  public init(_ map: MappedFile, _ range: Range<Int>) {
    self.map = map
    self.range = range
    bytes = UnsafeRawBufferPointer(rebasing: map.bytes[range])
  }
}
