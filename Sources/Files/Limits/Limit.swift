// What a file may ask for: every limit of every reader, in one place.
//
// A few bytes can claim anything: a billion layers, a text that unpacks to a thousand times its size, lists within lists
// without end. Each such claim is held against one of these numbers before memory is taken for it. `--limit NAME=VALUE`
// raises one.

import Synchronization

/// A number that files may ask for at most.
///
/// Limits belong to the process, as its memory does; a program sets them once, before it reads anything.
public enum Limit: String, CaseIterable, Sendable {
  /// Bytes of memory of its own that the process may hold, whatever for; the system refuses more.
  case memory
  /// Bytes that a compressed file, a pipe, or what a file only declares, may become in memory.
  case unpacked
  /// Lists, objects and messages within one another.
  case nesting
  /// Values that a pickle may make.
  case values
  /// Layers that a model's configuration may name.
  case layers
  /// The greatest size that a model's configuration may name, such as its vocabulary.
  case size
  /// Columns that a model file may take or name.
  case columns
  /// Numbers in one result of an ONNX operation.
  case elements
  /// Leaves of one tree of a model file.
  case leaves
  /// Categories of one feature of a model file.
  case categories
  /// The highest token number of a tokenizer.
  case token
  /// Bytes that a black-box program may answer to one batch of rows.
  case answer

  /// What counts: bytes are written with K, M, G and T, powers of 1,024.
  public var isBytes: Bool {
    switch self {
    case .memory, .unpacked, .answer: true
    default: false
    }
  }

  /// What the limit is for, in a line.
  public var meaning: String {
    switch self {
    case .memory: "memory of its own that the process may hold: what is free at the start"
    case .unpacked: "what a compressed file, a pipe or a declared dataset may become in memory: half of that"
    case .nesting: "lists, objects and messages within one another"
    case .values: "values that the pickle of a PyTorch file may make"
    case .layers: "layers that a config.json may name"
    case .size: "the greatest width, vocabulary or number of heads that a config.json may name"
    case .columns: "columns that a model file may take"
    case .elements: "numbers in one result of an ONNX operation"
    case .leaves: "leaves of one tree of a model file"
    case .categories: "categories of one feature of a model file"
    case .token: "the highest token number of a tokenizer.json"
    case .answer: "what a black-box program may write for one batch of rows"
    }
  }

  /// The limit that holds unless another is set.
  public var standard: Int {
    switch self {
    case .memory: FreeMemory.atStart
    case .unpacked: max(64 << 20, FreeMemory.atStart / 2)
    case .nesting: 256
    case .values: 2_000_000
    case .layers: 10_000
    case .size: highest
    case .columns: 1 << 24
    case .elements: 1 << 30
    case .leaves, .token: 1 << 24
    case .categories: 1 << 20
    case .answer: 1 << 30
    }
  }

  /// No limit may be set higher: nested values are read, and let go of, on the stack, and the product of two sizes must
  /// be a number.
  public var highest: Int {
    switch self {
    case .nesting: 2_000
    case .size: 1 << 31
    default: Int.max / 8
    }
  }

  private static let given = Mutex<[Limit: Int]>([:])

  /// The limit that holds now.
  public var value: Int { Self.given.withLock { $0[self] } ?? standard }

  /// Sets a limit for the whole process; nil returns to the standard.
  /// - Precondition: the value is above 0 and at most `highest`.
  public func set(_ value: Int?) {
    precondition(value.map { (1...highest).contains($0) } ?? true, "limit \(rawValue) of \(value ?? 0)")
    Self.given.withLock { $0[self] = value }
  }

  /// What is said where a file asks for more: "300 layers; 100 are allowed ('--limit layers=300' allows more)".
  public func refusal(asked: Int? = nil, of what: String) -> String {
    let wanted = asked.map { text(for: $0) + " " } ?? "more "
    return "\(wanted)\(what) than the \(text(for: value)) that are allowed; "
      + "'--limit \(rawValue)=\(asked.map { argument(for: $0) } ?? "N")' allows more"
  }

  /// A value as people read it: "1.5 GiB", "10000".
  public func text(for value: Int) -> String { isBytes ? byteText(value) : String(value) }

  /// A value as it is typed.
  private func argument(for value: Int) -> String {
    guard isBytes else { return String(value) }
    for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] where value >= 1 << shift {
      return "\((value + (1 << shift) - 1) >> shift)\(unit)"
    }
    return String(value)
  }

  /// Reads a value as it is typed: a whole number, for bytes with K, M, G or T; nil where it is none, or out of range.
  public func parse(_ text: String) -> Int? {
    var digits = text[...]
    var shift = 0
    if isBytes, let last = text.last, let power = ["K": 10, "M": 20, "G": 30, "T": 40][last.uppercased()] {
      digits = digits.dropLast()
      shift = power
    }
    guard let number = Int(digits), number > 0, number <= highest >> shift else { return nil }
    return number << shift
  }
}

/// A number of bytes as people read it: "512 bytes", "1.5 GiB".
public func byteText(_ bytes: Int) -> String {
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  var (size, unit) = (Double(bytes), 0)
  while size >= 1024, unit < units.count - 1 {
    size /= 1024
    unit += 1
  }
  return (unit == 0 ? String(bytes) : size.text(significant: size >= 100 ? 4 : 3)) + " " + units[unit]
}
