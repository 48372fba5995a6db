// Reading the pickle of a state dictionary as data: a stack machine that knows a few operations and calls nothing.
//
// Source: CPython's pickletools (the operations) and torch.serialization (what a state dictionary is made of).

import Files

/// A machine for the part of the pickle language that state dictionaries use.
struct PickleReader {
  /// Why a pickle cannot be read, or is refused.
  struct Problem: Error {
    var text: String
  }

  private let bytes: ArraySlice<UInt8>
  private var place: Int
  /// Each value with how deeply it nests.
  private var stack: [(value: PickleValue, depth: Int)] = []
  private var marks: [Int] = []
  private var memo: [Int: (value: PickleValue, depth: Int)] = [:]
  /// What may still be made: a short pickle must not keep the machine busy for long.
  private var budget = Limit.values.value
  /// Values nested deeper than this are refused: letting go of them recurses once a level.
  private let deepest = Limit.nesting.value

  private init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    place = bytes.startIndex
  }

  /// The value that the pickle describes.
  /// - Throws: `Problem` naming the operation or global that is not allowed, or where the pickle is damaged.
  static func value(of bytes: ArraySlice<UInt8>) throws(Problem) -> PickleValue {
    var reader = PickleReader(bytes)
    while true {
      let operation = try reader.byte()
      if operation == UInt8(ascii: ".") { return try reader.pop().value }
      try reader.perform(operation)
    }
  }

  private mutating func perform(_ operation: UInt8) throws(Problem) {
    switch operation {
    case 0x80:
      let version = try byte()
      guard version <= 5 else { throw Problem(text: "its pickle has version \(version)") }
    case 0x95: _ = try number(bytes: 8)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.boolean(true))
    case 0x89: try push(.boolean(false))
    case UInt8(ascii: "K"): try push(.integer(Int(byte())))
    case UInt8(ascii: "M"): try push(.integer(number(bytes: 2)))
    case UInt8(ascii: "J"): try push(.integer(Int(Int32(truncatingIfNeeded: number(bytes: 4)))))
    case 0x8A: try push(.integer(longInteger()))
    case UInt8(ascii: "G"): try push(.number(bigEndianDouble()))
    case UInt8(ascii: "X"): try push(.text(text(count: number(bytes: 4))))
    case 0x8C: try push(.text(text(count: Int(byte()))))
    case UInt8(ascii: "}"): try push(.dictionary([]))
    case UInt8(ascii: "]"): try push(.list([]))
    case UInt8(ascii: ")"): try push(.tuple([]))
    case UInt8(ascii: "t"): try pushTuple(popToMark())
    case 0x85, 0x86, 0x87: try pushTuple(popLast(Int(operation) - 0x84))
    case UInt8(ascii: "q"): try remember(Int(byte()))
    case UInt8(ascii: "r"): try remember(number(bytes: 4))
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(Int(byte()))
    case UInt8(ascii: "j"): try recall(number(bytes: 4))
    case UInt8(ascii: "a"): try append(popLast(1))
    case UInt8(ascii: "e"): try append(popToMark())
    case UInt8(ascii: "s"): try setItems(popLast(2))
    case UInt8(ascii: "u"): try setItems(popToMark())
    case UInt8(ascii: "c"): try push(.global(global(module: line(), name: line())))
    case 0x93:
      guard case .text(let name) = try pop().value, case .text(let module) = try pop().value else {
        throw Problem(text: "its pickle names a global by something that is no text")
      }
      try push(.global(global(module: module, name: name)))
    case UInt8(ascii: "Q"): try push(PickleCalls.storage(pop().value))
    case UInt8(ascii: "R"):
      let arguments = try pop().value
      try push(PickleCalls.result(of: pop().value, arguments))
    // Attributes of an ordered dictionary, such as its `_metadata`, are not needed.
    case UInt8(ascii: "b"): _ = try pop()
    default:
      throw Problem(text: "its pickle uses operation 0x\(String(operation, radix: 16)), which is not allowed")
    }
  }

  private func global(module: String, name: String) throws(Problem) -> PickleGlobal {
    guard let global = PickleGlobal(rawValue: "\(module).\(name)") else {
      throw Problem(
        text: "its pickle refers to '\(module).\(name)', which no state dictionary needs; it is refused")
    }
    return global
  }

  // MARK: The stack

  private mutating func push(_ value: PickleValue, depth: Int = 0, cost: Int = 1) throws(Problem) {
    budget -= cost
    guard budget > 0 else {
      throw Problem(text: "its pickle asks for " + Limit.values.refusal(of: "values"))
    }
    guard depth <= deepest else {
      throw Problem(text: "its pickle nests values too deeply: " + Limit.nesting.refusal(of: "levels"))
    }
    stack.append((value, depth))
  }

  private mutating func pushTuple(_ parts: [(value: PickleValue, depth: Int)]) throws(Problem) {
    let depth = (parts.map(\.depth).max() ?? 0) + 1
    try push(.tuple(parts.map(\.value)), depth: depth)
  }

  private mutating func pop() throws(Problem) -> (value: PickleValue, depth: Int) {
    guard stack.count > (marks.last ?? 0), let item = stack.popLast() else {
      throw Problem(text: "its pickle takes more values than it has made")
    }
    return item
  }

  private mutating func popLast(_ count: Int) throws(Problem) -> [(value: PickleValue, depth: Int)] {
    guard stack.count - count >= marks.last ?? 0 else {
      throw Problem(text: "its pickle takes more values than it has made")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws(Problem) -> [(value: PickleValue, depth: Int)] {
    guard let mark = marks.popLast(), mark <= stack.count else {
      throw Problem(text: "its pickle ends a group that it has not begun")
    }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private mutating func append(_ values: [(value: PickleValue, depth: Int)]) throws(Problem) {
    let item = try pop()
    guard case .list(let list) = item.value else {
      throw Problem(text: "its pickle appends to what is no list")
    }
    let depth = max(item.depth, (values.map(\.depth).max() ?? 0) + 1)
    try push(.list(list + values.map(\.value)), depth: depth, cost: 1 + list.count / 16)
  }

  private mutating func setItems(_ values: [(value: PickleValue, depth: Int)]) throws(Problem) {
    let item = try pop()
    guard values.count % 2 == 0, case .dictionary(var entries) = item.value else {
      throw Problem(text: "its pickle sets items of what is no dictionary")
    }
    let depth = max(item.depth, (values.map(\.depth).max() ?? 0) + 1)
    let cost = 1 + entries.count / 16
    for index in stride(from: 0, to: values.count, by: 2) {
      entries.append(.init(key: values[index].value, value: values[index + 1].value))
    }
    try push(.dictionary(entries), depth: depth, cost: cost)
  }

  // MARK: The memo

  /// Containers that are remembered empty and filled later keep what they were: state dictionaries refer back to
  /// texts, globals and storages only.
  private mutating func remember(_ key: Int) throws(Problem) {
    guard let top = stack.last else {
      throw Problem(text: "its pickle remembers a value that it has not made")
    }
    switch top.value {
    case .list, .dictionary: memo[key] = nil
    default: memo[key] = top
    }
    if memo[key] == nil { unremembered.insert(key) } else { unremembered.remove(key) }
  }

  private var unremembered: Set<Int> = []

  private mutating func recall(_ key: Int) throws(Problem) {
    guard let item = memo[key] else {
      throw Problem(
        text: unremembered.contains(key)
          ? "its pickle shares a list or dictionary between two places, which is not supported"
          : "its pickle recalls a value that it has not remembered")
    }
    try push(item.value, depth: item.depth)
  }

  // MARK: The bytes

  private mutating func byte() throws(Problem) -> UInt8 {
    guard place < bytes.endIndex else { throw Problem(text: "its pickle ends too early") }
    defer { place += 1 }
    return bytes[place]
  }

  private mutating func take(_ count: Int) throws(Problem) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.endIndex - place else {
      throw Problem(text: "its pickle ends too early")
    }
    defer { place += count }
    return bytes[place..<place + count]
  }

  private mutating func number(bytes count: Int) throws(Problem) -> Int {
    var value: UInt64 = 0
    for (index, byte) in try take(count).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
    return Int(truncatingIfNeeded: value)
  }

  private mutating func longInteger() throws(Problem) -> Int {
    let digits = try take(Int(byte()))
    guard digits.count <= 8 else {
      throw Problem(text: "its pickle holds an integer of \(digits.count) bytes")
    }
    var value: UInt64 = digits.last.map { $0 & 0x80 != 0 } == true ? .max : 0
    for (index, byte) in digits.enumerated() {
      value &= ~(0xFF << UInt64(8 * index))
      value |= UInt64(byte) << UInt64(8 * index)
    }
    return Int(bitPattern: UInt(value))
  }

  private mutating func bigEndianDouble() throws(Problem) -> Double {
    Double(bitPattern: try take(8).reduce(0) { $0 << 8 | UInt64($1) })
  }

  private mutating func text(count: Int) throws(Problem) -> String {
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw Problem(text: "its pickle holds a text that is not UTF-8")
    }
    return text
  }

  private mutating func line() throws(Problem) -> String {
    guard let end = bytes[place...].firstIndex(of: 10) else {
      throw Problem(text: "its pickle ends too early")
    }
    let line = String(decoding: bytes[place..<end], as: UTF8.self)
    place = end + 1
    return line
  }
}
