// GGUF, the file format of llama.cpp: facts about a model, then its tensors, often in blocks of few bits.
//
// Source: ggml's description of the format, versions 2 and 3.

import Files
import FoundationEssentials

/// What a GGUF file says about its model, and where its tensors lie.
public struct GGUFFile: Sendable {
  /// The path that was opened.
  public let path: String
  /// The facts, by name (`llama.block_count`); lists of more than 4,096 elements, as vocabularies are, are left out.
  public let facts: [String: JSONValue]
  /// The tensors, under the names that the file gives them.
  public let tensors: SafetensorsFile

  /// Reads the header of a file.
  /// - Throws: `FileError` where it cannot be opened, `CheckpointError.malformed` where it is not sound.
  public init(path: String) throws {
    let map = try MappedFile(path: path)
    var reader = GGUFReader(bytes: map.bytes, path: path)
    try reader.readMagic()
    let version = try reader.integer(UInt32.self)
    guard version == 2 || version == 3 else {
      throw CheckpointError.malformed(
        path: path, problem: "it is GGUF of version \(version); 2 and 3 are read")
    }
    let tensorCount = try reader.count()
    let factCount = try reader.count()
    var facts: [String: JSONValue] = [:]
    for _ in 0..<factCount {
      let name = try reader.text()
      facts[name] = try reader.value(type: reader.integer(UInt32.self))
    }
    let infos = try (0..<tensorCount).map { _ in try reader.tensorInfo() }
    let alignment = facts["general.alignment"]?.wholeNumber ?? 32
    guard (1...1 << 20).contains(alignment) else {
      throw CheckpointError.malformed(path: path, problem: "its tensors are aligned to \(alignment) bytes")
    }
    let start = (reader.place + alignment - 1) / alignment * alignment
    var entries: [String: SafetensorsEntry] = [:]
    for info in infos { entries[info.name] = try info.entry(from: start, size: map.bytes.count, path: path) }
    self.path = path
    self.facts = facts
    tensors = SafetensorsFile(map: map, entries: entries)
  }
}

private struct GGUFTensorInfo {
  var name: String
  var shape: [Int]
  var type: UInt32
  var offset: Int

  private static let typeNames: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K",
    11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
    28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]

  func entry(from start: Int, size: Int, path: String) throws -> SafetensorsEntry {
    let typeName = Self.typeNames[type] ?? "GGUF type \(type)"
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, length >= 0 else {
        throw CheckpointError.malformed(
          path: path, problem: "tensor '\(name)' has an impossible shape \(shape)")
      }
      count = product
    }
    // A type that is not read keeps its place; asking for it is refused by name.
    var bytes = 0
    if let format = ElementFormat(typeName) {
      guard (shape.last ?? 1) % format.elements == 0 else {
        throw CheckpointError.malformed(
          path: path,
          problem: "tensor '\(name)' has rows of \(shape.last ?? 1), not whole blocks of \(typeName)")
      }
      let (product, overflow) = (count / format.elements).multipliedReportingOverflow(by: format.bytes)
      bytes = overflow ? .max : product
    }
    guard offset >= 0, offset <= size, start <= size - offset, bytes <= size - offset - start else {
      throw CheckpointError.malformed(
        path: path, problem: "tensor '\(name)' goes on past the end of the file; it may be truncated")
    }
    return SafetensorsEntry(
      type: typeName, shape: shape, byteRange: start + offset..<start + offset + bytes)
  }
}

/// Reads a header from first byte to last, never past the end.
private struct GGUFReader {
  let bytes: UnsafeRawBufferPointer
  let path: String
  var place = 0

  private func malformed(_ problem: String) -> CheckpointError { .malformed(path: path, problem: problem) }

  private mutating func take(_ count: Int) throws(CheckpointError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= bytes.count - place else {
      throw malformed("its header ends in the middle; the file may be truncated")
    }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
  }

  mutating func readMagic() throws(CheckpointError) {
    guard try take(min(4, bytes.count)).elementsEqual("GGUF".utf8) else {
      throw malformed("it does not begin with 'GGUF'")
    }
  }

  mutating func integer<Stored: FixedWidthInteger>(_: Stored.Type) throws(CheckpointError) -> Stored {
    Stored(littleEndian: try take(MemoryLayout<Stored>.size).loadUnaligned(as: Stored.self))
  }

  /// A number of things that follow, each of a byte at least.
  mutating func count() throws(CheckpointError) -> Int {
    let stored = try integer(UInt64.self)
    guard stored <= UInt64(bytes.count) else { throw malformed("its header claims \(stored) of something") }
    return Int(stored)
  }

  mutating func text() throws(CheckpointError) -> String {
    String(decoding: try take(count()), as: UTF8.self)
  }

  mutating func value(type: UInt32, depth: Int = 0) throws(CheckpointError) -> JSONValue {
    switch type {
    case 0: return .integer(Int(try integer(UInt8.self)))
    case 1: return .integer(Int(try integer(Int8.self)))
    case 2: return .integer(Int(try integer(UInt16.self)))
    case 3: return .integer(Int(try integer(Int16.self)))
    case 4: return .integer(Int(try integer(UInt32.self)))
    case 5: return .integer(Int(try integer(Int32.self)))
    case 6: return .number(Double(Float(bitPattern: try integer(UInt32.self))))
    case 7: return .boolean(try integer(UInt8.self) != 0)
    case 8: return .string(try text())
    case 9:
      guard depth < 4 else { throw malformed("its lists lie too deep in each other") }
      let (element, count) = (try integer(UInt32.self), try count())
      var list: [JSONValue] = []
      for _ in 0..<count {
        let value = try value(type: element, depth: depth + 1)
        if count <= 4096 { list.append(value) }
      }
      return .array(list)
    case 10: return .integer(Int(truncatingIfNeeded: try integer(UInt64.self)))
    case 11: return .integer(Int(try integer(Int64.self)))
    case 12: return .number(Double(bitPattern: try integer(UInt64.self)))
    default: throw malformed("a fact has a value of unknown type \(type)")
    }
  }

  mutating func tensorInfo() throws(CheckpointError) -> GGUFTensorInfo {
    let name = try text()
    let axes = try integer(UInt32.self)
    guard axes <= 8 else { throw malformed("tensor '\(name)' has \(axes) axes") }
    var shape: [Int] = []
    for _ in 0..<axes {
      let length = try integer(UInt64.self)
      guard length <= UInt64(Int32.max) * 4 else {
        throw malformed("tensor '\(name)' has an axis of \(length)")
      }
      // The file names the axis of neighbours first.
      shape.insert(Int(length), at: 0)
    }
    let type = try integer(UInt32.self)
    let offset = try integer(UInt64.self)
    guard offset <= UInt64(bytes.count) else {
      throw malformed("tensor '\(name)' begins past the end of the file; it may be truncated")
    }
    return GGUFTensorInfo(name: name, shape: shape, type: type, offset: Int(offset))
  }
}
