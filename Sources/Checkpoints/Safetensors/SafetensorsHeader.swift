// The header of a safetensors file: eight bytes of length, then JSON that says where each tensor lies.
//
// Source: the format's description by Hugging Face (safetensors, "Format").

import Files

/// What a header says about one tensor.
public struct SafetensorsEntry: Sendable, Equatable {
  /// The element type as written in the file: `F32`, `BF16`, `I64` …
  public var type: String
  /// The length of every axis.
  public var shape: [Int]
  /// Where the elements lie, in bytes from the start of the file.
  public var byteRange: Range<Int>
  /// The distance between neighbours along each axis, in elements, where the elements do not lie in row-major order,
  /// as in some PyTorch checkpoints.
  public var strides: [Int]?

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }
}

/// A header that has been read and checked against the file's size.
struct SafetensorsHeader {
  var entries: [String: SafetensorsEntry] = [:]
  var metadata: [String: String] = [:]
  /// As it stands in the file, in order.
  let members: [JSONMember]
  /// Where the data begin.
  let dataStart: Int

  /// Reads the header of a file's bytes.
  /// - Throws: `CheckpointError.malformed` where lengths, JSON, types, shapes or offsets do not fit the file or each
  ///   other.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(CheckpointError) {
    func malformed(_ problem: String) -> CheckpointError { .malformed(path: path, problem: problem) }
    guard bytes.count >= 8 else {
      throw malformed("it has \(bytes.count) bytes, fewer than the eight that hold the header's length")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(bytes.count - 8) else {
      throw malformed("its header claims \(length) bytes, but only \(bytes.count - 8) follow")
    }
    let text = String(decoding: bytes[8..<8 + Int(length)], as: UTF8.self)
    guard let json = try? JSONValue(parsing: text), let members = json.members else {
      throw malformed("its header is not a JSON object")
    }
    self.members = members
    dataStart = 8 + Int(length)
    for member in members {
      if member.key == "__metadata__" {
        for text in member.value.members ?? [] { metadata[text.key] = text.value.text }
        continue
      }
      entries[member.key] = try Self.entry(
        member.value, named: member.key, dataStart: dataStart, fileSize: bytes.count, malformed: malformed)
    }
    try checkOverlaps(malformed)
  }

  private static func entry(
    _ value: JSONValue, named name: String, dataStart: Int, fileSize: Int,
    malformed: (String) -> CheckpointError
  ) throws(CheckpointError) -> SafetensorsEntry {
    guard let type = value["dtype"]?.text else { throw malformed("tensor '\(name)' has no element type") }
    let lengths = value["shape"]?.elements?.compactMap(\.wholeNumber) ?? []
    guard let axes = value["shape"]?.elements, lengths.count == axes.count, lengths.allSatisfy({ $0 >= 0 })
    else {
      throw malformed("tensor '\(name)' has no shape of whole numbers")
    }
    let offsets = value["data_offsets"]?.elements?.compactMap(\.wholeNumber) ?? []
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1] else {
      throw malformed("tensor '\(name)' has no pair of data offsets")
    }
    let available = fileSize - dataStart
    guard offsets[1] <= available else {
      throw malformed(
        "tensor '\(name)' ends at byte \(offsets[1]) of the data, but the file holds \(available); "
          + "it may be truncated")
    }
    if let size = elementSize(of: type) {
      var expected = size
      for length in lengths {
        let (product, overflow) = expected.multipliedReportingOverflow(by: length)
        guard !overflow else { throw malformed("tensor '\(name)' has an impossible shape \(lengths)") }
        expected = product
      }
      guard expected == offsets[1] - offsets[0] else {
        throw malformed(
          "tensor '\(name)' of shape \(lengths) and type \(type) needs \(expected) bytes, "
            + "but its offsets hold \(offsets[1] - offsets[0])")
      }
    }
    return SafetensorsEntry(
      type: type, shape: lengths, byteRange: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  private func checkOverlaps(_ malformed: (String) -> CheckpointError) throws(CheckpointError) {
    let ordered = entries.filter { !$0.value.byteRange.isEmpty }
      .sorted { ($0.value.byteRange.lowerBound, $0.key) < ($1.value.byteRange.lowerBound, $1.key) }
    for (left, right) in zip(ordered, ordered.dropFirst())
    where left.value.byteRange.upperBound > right.value.byteRange.lowerBound {
      throw malformed("tensors '\(left.key)' and '\(right.key)' overlap")
    }
  }

  /// Bytes per element of the types that the format names; nil for types it does not.
  static func elementSize(of type: String) -> Int? {
    switch type {
    case "F64", "I64", "U64": 8
    case "F32", "I32", "U32": 4
    case "F16", "BF16", "I16", "U16": 2
    case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2": 1
    default: nil
    }
  }
}
