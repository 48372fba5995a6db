// Reading Universal Binary JSON (draft 12), as XGBoost writes it: typed arrays with counts, big-endian numbers.

import Files

/// A reader of UBJSON bytes.
struct UniversalBinaryJSON {
  private let bytes: [UInt8]
  private var position = 0
  private static let deepest = 64

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// Parses one value that fills `bytes`.
  static func parse(_ bytes: [UInt8]) throws(ModelProblem) -> JSONValue {
    var reader = UniversalBinaryJSON(bytes: bytes)
    let value = try reader.value(type: try reader.type(), depth: 0)
    guard reader.position == bytes.count else {
      throw .malformed("\(bytes.count - reader.position) bytes stand after the value")
    }
    return value
  }

  private mutating func byte() throws(ModelProblem) -> UInt8 {
    guard position < bytes.count else {
      throw .malformed("the file ends at byte \(position), inside a value")
    }
    defer { position += 1 }
    return bytes[position]
  }

  /// The next marker that is not the no-operation.
  private mutating func type() throws(ModelProblem) -> UInt8 {
    while true {
      let marker = try byte()
      if marker != UInt8(ascii: "N") { return marker }
    }
  }

  private mutating func bigEndian(_ count: Int) throws(ModelProblem) -> UInt64 {
    guard bytes.count - position >= count else {
      throw .malformed("the file ends at byte \(bytes.count), inside a number")
    }
    var value: UInt64 = 0
    for _ in 0..<count {
      value = value << 8 | UInt64(bytes[position])
      position += 1
    }
    return value
  }

  private mutating func length() throws(ModelProblem) -> Int {
    let place = position
    guard case .integer(let length) = try value(type: try type(), depth: 0), length >= 0 else {
      throw .malformed("a length is needed at byte \(place)")
    }
    return length
  }

  private mutating func text() throws(ModelProblem) -> String {
    let count = try length()
    guard count <= bytes.count - position else {
      throw .malformed("a text of \(count) bytes at byte \(position) reaches past the end")
    }
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }

  private mutating func value(type: UInt8, depth: Int) throws(ModelProblem) -> JSONValue {
    guard depth < Self.deepest else { throw .malformed("values are nested too deeply") }
    switch type {
    case UInt8(ascii: "Z"): return .null
    case UInt8(ascii: "T"): return .boolean(true)
    case UInt8(ascii: "F"): return .boolean(false)
    case UInt8(ascii: "i"): return .integer(Int(Int8(truncatingIfNeeded: try bigEndian(1))))
    case UInt8(ascii: "U"): return .integer(Int(try bigEndian(1)))
    case UInt8(ascii: "I"): return .integer(Int(Int16(truncatingIfNeeded: try bigEndian(2))))
    case UInt8(ascii: "u"): return .integer(Int(try bigEndian(2)))
    case UInt8(ascii: "l"): return .integer(Int(Int32(truncatingIfNeeded: try bigEndian(4))))
    case UInt8(ascii: "m"): return .integer(Int(try bigEndian(4)))
    case UInt8(ascii: "L"), UInt8(ascii: "M"): return .integer(Int(truncatingIfNeeded: try bigEndian(8)))
    case UInt8(ascii: "d"): return .number(Double(Float(bitPattern: UInt32(try bigEndian(4)))))
    case UInt8(ascii: "D"): return .number(Double(bitPattern: try bigEndian(8)))
    case UInt8(ascii: "S"): return .string(try text())
    case UInt8(ascii: "C"): return .string(String(Unicode.Scalar(try byte())))
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "{"): return try object(depth: depth)
    default: throw .malformed("byte \(position - 1) holds the unknown type \(type)")
    }
  }

  /// The element type and count that may stand before a container's contents.
  private mutating func header() throws(ModelProblem) -> (type: UInt8?, count: Int?) {
    var elementType: UInt8?
    if position < bytes.count, bytes[position] == UInt8(ascii: "$") {
      position += 1
      elementType = try byte()
    }
    guard position < bytes.count, bytes[position] == UInt8(ascii: "#") else {
      if elementType != nil { throw .malformed("a typed list at byte \(position) has no count") }
      return (nil, nil)
    }
    position += 1
    let count = try length()
    // An element without a body takes no byte of the file, so its count could be anything.
    guard elementType.map({ !"ZTFN".utf8.contains($0) }) ?? true, count <= bytes.count - position else {
      throw .malformed("a list of \(count) elements at byte \(position) reaches past the end")
    }
    return (elementType, count)
  }

  private mutating func array(depth: Int) throws(ModelProblem) -> JSONValue {
    let (elementType, count) = try header()
    var elements: [JSONValue] = []
    if let count {
      elements.reserveCapacity(count)
      for _ in 0..<count {
        let type = if let elementType { elementType } else { try self.type() }
        elements.append(try value(type: type, depth: depth + 1))
      }
      return .array(elements)
    }
    while true {
      let type = try type()
      if type == UInt8(ascii: "]") { return .array(elements) }
      elements.append(try value(type: type, depth: depth + 1))
    }
  }

  private mutating func object(depth: Int) throws(ModelProblem) -> JSONValue {
    let (elementType, count) = try header()
    var members: [JSONMember] = []
    while count.map({ members.count < $0 }) ?? true {
      if count == nil, position < bytes.count, bytes[position] == UInt8(ascii: "}") {
        position += 1
        break
      }
      let key = try text()
      let type = if let elementType { elementType } else { try self.type() }
      members.append(JSONMember(key, try value(type: type, depth: depth + 1)))
    }
    return .object(members)
  }
}
