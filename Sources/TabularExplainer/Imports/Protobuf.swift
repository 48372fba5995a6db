// Protocol buffers' wire format (varints, 4 and 8 byte numbers, length-delimited fields), read without a schema compiler.

/// One message: its fields in the order of the file.
struct ProtobufMessage {
  /// A field's payload.
  enum Payload {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private var fields: [Int: [Payload]] = [:]

  /// Splits a message's bytes into fields.
  init(_ bytes: ArraySlice<UInt8>) throws(ModelProblem) {
    var reader = ProtobufReader(bytes)
    while !reader.isAtEnd {
      let key = try reader.varint()
      let number = Int(truncatingIfNeeded: key >> 3)
      guard number > 0, number < 1 << 29 else { throw .malformed("a field of number \(number)") }
      let payload: Payload
      switch key & 7 {
      case 0: payload = .varint(try reader.varint())
      case 1: payload = .fixed64(try reader.little(8))
      case 2: payload = .bytes(try reader.delimited())
      case 5: payload = .fixed32(UInt32(truncatingIfNeeded: try reader.little(4)))
      default: throw .malformed("a field of wire type \(key & 7)")
      }
      fields[number, default: []].append(payload)
    }
  }

  /// All messages under a field number.
  func messages(_ number: Int) throws(ModelProblem) -> [ProtobufMessage] {
    var messages: [ProtobufMessage] = []
    for bytes in try byteStrings(number) { messages.append(try ProtobufMessage(bytes)) }
    return messages
  }

  /// The last message under a field number.
  func message(_ number: Int) throws(ModelProblem) -> ProtobufMessage? {
    guard let bytes = try byteStrings(number).last else { return nil }
    return try ProtobufMessage(bytes)
  }

  /// All byte strings under a field number.
  func byteStrings(_ number: Int) throws(ModelProblem) -> [ArraySlice<UInt8>] {
    var strings: [ArraySlice<UInt8>] = []
    for payload in fields[number] ?? [] {
      guard case .bytes(let bytes) = payload else { throw .malformed("field \(number) is not a byte string") }
      strings.append(bytes)
    }
    return strings
  }

  /// All texts under a field number.
  func texts(_ number: Int) throws(ModelProblem) -> [String] {
    try byteStrings(number).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The last text under a field number, or "".
  func text(_ number: Int) throws(ModelProblem) -> String { try texts(number).last ?? "" }

  /// All whole numbers under a field number, packed or not.
  func integers(_ number: Int) throws(ModelProblem) -> [Int] {
    var integers: [Int] = []
    for payload in fields[number] ?? [] {
      switch payload {
      case .varint(let value): integers.append(Int(truncatingIfNeeded: value))
      case .bytes(let bytes):
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd { integers.append(Int(truncatingIfNeeded: try reader.varint())) }
      default: throw .malformed("field \(number) is not a whole number")
      }
    }
    return integers
  }

  /// All single-precision numbers under a field number, packed or not.
  func floats(_ number: Int) throws(ModelProblem) -> [Float] {
    var floats: [Float] = []
    for payload in fields[number] ?? [] {
      switch payload {
      case .fixed32(let bits): floats.append(Float(bitPattern: bits))
      case .bytes(let bytes):
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd {
          floats.append(Float(bitPattern: UInt32(truncatingIfNeeded: try reader.little(4))))
        }
      default: throw .malformed("field \(number) is not a number")
      }
    }
    return floats
  }

  /// All double-precision numbers under a field number, packed or not.
  func doubles(_ number: Int) throws(ModelProblem) -> [Double] {
    var doubles: [Double] = []
    for payload in fields[number] ?? [] {
      switch payload {
      case .fixed64(let bits): doubles.append(Double(bitPattern: bits))
      case .bytes(let bytes):
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd { doubles.append(Double(bitPattern: try reader.little(8))) }
      default: throw .malformed("field \(number) is not a number")
      }
    }
    return doubles
  }
}

/// A place in a message's bytes.
struct ProtobufReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  /// A whole number of up to ten groups of seven bits, the lowest first.
  mutating func varint() throws(ModelProblem) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard let byte = rest.popFirst() else { throw .malformed("the file ends inside a number") }
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw .malformed("a whole number of more than 64 bits")
  }

  /// A little-endian number of `count` bytes.
  mutating func little(_ count: Int) throws(ModelProblem) -> UInt64 {
    guard rest.count >= count else { throw .malformed("the file ends inside a number") }
    var value: UInt64 = 0
    for place in 0..<count { value |= UInt64(rest[rest.startIndex + place]) << UInt64(8 * place) }
    rest = rest.dropFirst(count)
    return value
  }

  /// Bytes after their count.
  mutating func delimited() throws(ModelProblem) -> ArraySlice<UInt8> {
    let count = try varint()
    guard count <= UInt64(rest.count) else {
      throw .malformed("a field of \(count) bytes where \(rest.count) are left")
    }
    defer { rest = rest.dropFirst(Int(count)) }
    return rest.prefix(Int(count))
  }
}
