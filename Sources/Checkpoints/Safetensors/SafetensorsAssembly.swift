// A safetensors file of tensors that are larger than memory: written in pieces, in any order.

import Files

/// A safetensors file being written piece by piece, which the world sees when it is whole.
public final class SafetensorsAssembly {
  /// A tensor to come.
  public struct Tensor: Sendable {
    /// Its name.
    public var name: String
    /// The element type as the format spells it: `U8`, `F32`, `I64`.
    public var type: String
    /// Bytes of one element.
    public var width: Int
    /// The length of every axis.
    public var shape: [Int]

    /// A tensor of a name, an element type of `width` bytes, and a shape.
    public init(_ name: String, type: String, width: Int, shape: [Int]) {
      self.name = name
      self.type = type
      self.width = width
      self.shape = shape
    }
  }

  private let file: AtomicFile
  private var members: [JSONMember] = []
  private var offsets: [String: Range<Int>] = [:]
  private let headerSize: Int

  /// Opens a file for tensors, the widest elements first so that each starts on a multiple of its element's size.
  /// - Parameter room: bytes kept free in the header for the texts that `commit` adds.
  /// - Throws: `FileError`.
  public init(_ tensors: [Tensor], room: Int, to path: String) throws(FileError) {
    file = try AtomicFile(path: path)
    var end = 0
    for tensor in tensors.sorted(by: { (-$0.width, $0.name) < (-$1.width, $1.name) }) {
      let size = tensor.shape.reduce(tensor.width, *)
      members.append(
        JSONMember(
          tensor.name,
          .object([
            JSONMember("dtype", .string(tensor.type)),
            JSONMember("shape", .array(tensor.shape.map { .integer($0) })),
            JSONMember("data_offsets", .array([.integer(end), .integer(end + size)])),
          ])))
      offsets[tensor.name] = end..<end + size
      end += size
    }
    let size = JSONValue.object(members).line.utf8.count + room + 256
    headerSize = (size + 7) / 8 * 8
  }

  /// Writes elements of a tensor, from byte `offset` of it on.
  /// - Precondition: the tensor is one of those announced, and the bytes lie within it.
  public func write(_ bytes: RawSpan, to name: String, at offset: Int) throws(FileError) {
    guard let range = offsets[name], offset >= 0,
      range.lowerBound + offset + bytes.byteCount <= range.upperBound
    else { preconditionFailure("\(bytes.byteCount) bytes at \(offset) of '\(name)'") }
    try file.write(bytes, at: 8 + headerSize + range.lowerBound + offset)
  }

  /// Writes the header, with texts and a digest of everything, and gives the file its name.
  /// - Throws: `FileError`; `CheckpointError.malformed` where the texts need more room than was kept.
  public func commit(metadata: [String: String]) throws {
    var texts = metadata.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
    var header = members
    if !texts.isEmpty { header.insert(JSONMember("__metadata__", .object(texts)), at: 0) }
    let digest = try SafetensorsDigest.hexadecimal(header: header) { digest in
      try file.add(from: 8 + headerSize, to: digest)
    }
    texts.append(JSONMember(SafetensorsDigest.key, .string(digest)))
    header = [JSONMember("__metadata__", .object(texts))] + members
    var text = Array(JSONValue.object(header).line.utf8)
    guard text.count <= headerSize else {
      throw CheckpointError.malformed(
        path: file.path, problem: "its header needs \(text.count) bytes, and \(headerSize) were kept for it")
    }
    text += [UInt8](repeating: UInt8(ascii: " "), count: headerSize - text.count)
    let length = withUnsafeBytes(of: UInt64(headerSize).littleEndian) { Array($0) }
    try file.write(length.span.bytes, at: 0)
    try file.write(text.span.bytes, at: 8)
    try file.commit()
  }
}
