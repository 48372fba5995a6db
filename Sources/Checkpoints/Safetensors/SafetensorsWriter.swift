// Writing safetensors files: the same tensors and text always give the same bytes.

import Files
import Tensors

/// A tensor to be written, with its element type.
public enum SafetensorsValue: Sendable {
  /// Stored as `F32`.
  case float(Tensor)
  /// Stored as `F64`, in row-major order.
  case double([Double], shape: [Int])
  /// Stored as `I64`, in row-major order.
  case int64([Int], shape: [Int])
  /// Stored as `I32`, in row-major order.
  case int32([Int32], shape: [Int])

  var shape: [Int] {
    switch self {
    case .float(let tensor): tensor.shape
    case .double(_, let shape), .int64(_, let shape), .int32(_, let shape): shape
    }
  }

  var type: String {
    switch self {
    case .float: "F32"
    case .double: "F64"
    case .int64: "I64"
    case .int32: "I32"
    }
  }

  /// Bytes of one element.
  var width: Int {
    switch self {
    case .double, .int64: 8
    case .float, .int32: 4
    }
  }
}

/// Writes a safetensors file, whole or not at all; tensors are laid out in the order of their names.
///
/// The header also holds a digest, by which `SafetensorsFile` tells a changed byte.
/// - Parameter metadata: texts kept in the file's header.
/// - Throws: `FileError` where the file cannot be written.
public func writeSafetensors(
  _ tensors: [String: SafetensorsValue], metadata: [String: String] = [:], to path: String
) throws {
  // Wider elements first, so that every tensor starts on a multiple of its element's size.
  let ordered = tensors.sorted {
    (-$0.value.width, $0.key) < (-$1.value.width, $1.key)
  }
  var header: [JSONMember] = []
  var texts = metadata.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
  if !texts.isEmpty { header.append(JSONMember("__metadata__", .object(texts))) }
  var offset = 0
  for (name, value) in ordered {
    let count = value.shape.reduce(1, *)
    let size = count * value.width
    let description: [JSONMember] = [
      JSONMember("dtype", .string(value.type)),
      JSONMember("shape", .array(value.shape.map { .integer($0) })),
      JSONMember("data_offsets", .array([.integer(offset), .integer(offset + size)])),
    ]
    header.append(JSONMember(name, .object(description)))
    offset += size
  }
  let digest = SafetensorsDigest.hexadecimal(header: header) { digest in
    for (_, value) in ordered { value.withBytes { digest.update($0) } }
  }
  texts.append(JSONMember(SafetensorsDigest.key, .string(digest)))
  header.removeAll { $0.key == "__metadata__" }
  header.insert(JSONMember("__metadata__", .object(texts)), at: 0)
  var text = Array(JSONValue.object(header).line.utf8)
  while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }

  let file = try AtomicFile(path: path)
  try file.write(withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) })
  try file.write(text)
  for (_, value) in ordered { try value.withBytes { try file.write($0) } }
  try file.commit()
}

extension SafetensorsValue {
  /// Hands over the elements as they lie in a file.
  /// - Precondition: as many elements as the shape holds.
  fileprivate func withBytes(_ body: (RawSpan) throws -> Void) rethrows {
    switch self {
    case .float(let tensor):
      try withExtendedLifetime(tensor) {
        let floats = UnsafeBufferPointer(start: tensor.pointer, count: tensor.count)
        try body(UnsafeRawBufferPointer(floats).bytes)
      }
    case .double(let values, let shape):
      precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
      try values.map(\.bitPattern.littleEndian).withUnsafeBytes { try body($0.bytes) }
    case .int64(let values, let shape):
      precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
      try values.map { Int64($0).littleEndian }.withUnsafeBytes { try body($0.bytes) }
    case .int32(let values, let shape):
      precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
      try values.map(\.littleEndian).withUnsafeBytes { try body($0.bytes) }
    }
  }
}
