// Reading tensors from a safetensors file without copying what need not be copied.

import CKernels
import Files
import Tensors

/// A safetensors file, mapped into memory.
///
/// Float32 tensors are used where they lie in the map; 16-bit floats are widened, each time they are asked for, into
/// memory of their own.
public final class SafetensorsFile: Sendable {
  /// The path that was opened.
  public let path: String
  /// The tensors by name.
  public let entries: [String: SafetensorsEntry]
  /// The text that the writer attached to the file.
  public let metadata: [String: String]
  private let map: MappedFile

  /// Maps the file and checks its header.
  /// - Throws: `FileError` where it cannot be opened, `CheckpointError.malformed` where it is not sound, or is not as this
  ///   program wrote it.
  public init(path: String) throws {
    map = try MappedFile(path: path)
    let header = try SafetensorsHeader(map.bytes, path: path)
    self.path = path
    entries = header.entries
    metadata = header.metadata.filter { $0.key != SafetensorsDigest.key }
    try SafetensorsDigest.check(map, header: header.members, dataStart: header.dataStart)
  }

  /// A file of another format whose tensors lie in it as they do in a safetensors file.
  /// - Precondition: every entry's bytes lie in the file.
  init(map: MappedFile, entries: [String: SafetensorsEntry]) {
    precondition(entries.values.allSatisfy { $0.byteRange.upperBound <= map.bytes.count })
    self.map = map
    path = map.path
    self.entries = entries
    metadata = [:]
  }

  /// The same tensors under other names; those without one stay as they are called.
  func renamed(_ names: [String: String]) -> SafetensorsFile {
    SafetensorsFile(
      map: map,
      entries: Dictionary(entries.map { (names[$0.key] ?? $0.key, $0.value) }, uniquingKeysWith: { $1 }))
  }

  /// The names of all tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// What the header says about a tensor.
  /// - Throws: `CheckpointError.missing`.
  public func entry(_ name: String) throws(CheckpointError) -> SafetensorsEntry {
    guard let entry = entries[name] else { throw .missing(path: path, tensor: name) }
    return entry
  }

  /// A tensor of floating-point numbers as float32.
  ///
  /// - Parameter shape: the shape it must have; any where nil.
  /// - Throws: `CheckpointError.missing`, `wrongShape`, `unsupportedType`, or `notFinite` where an element is infinite or
  ///   not a number.
  public func tensor(_ name: String, shape: [Int]? = nil) throws(CheckpointError) -> Tensor {
    let entry = try entry(name)
    if let shape { try requireShape(shape, of: name) }
    if let strides = entry.strides {
      let span = (0..<entry.shape.count).reduce(1) { $0 + (entry.shape[$1] - 1) * strides[$1] }
      return try read(name, elements: 0..<span, shape: [span]).gathered(shape: entry.shape, strides: strides)
    }
    return try read(name, elements: 0..<entry.count, shape: entry.shape)
  }

  /// A tensor of floating-point numbers as float32, flat, in row-major order, whatever the numbers are.
  ///
  /// For data in which infinity or NaN has a meaning, such as "not measured".
  /// - Throws: `CheckpointError.missing` or `unsupportedType`, also for elements that do not lie in row-major order.
  public func uncheckedNumbers(_ name: String) throws(CheckpointError) -> [Float] {
    let entry = try entry(name)
    guard entry.strides == nil else {
      throw .unsupportedType(path: path, tensor: name, type: entry.type + ", transposed")
    }
    return try readUnchecked(name, elements: 0..<entry.count, shape: [entry.count]).values
  }

  /// Rows of a matrix, or of the first axis of any tensor, as float32.
  ///
  /// - Throws: as `tensor(_:shape:)`; only the rows that are read are checked for being finite.
  public func rows(_ range: Range<Int>, of name: String) throws(CheckpointError) -> Tensor {
    let entry = try entry(name)
    if entry.strides != nil { return try tensor(name).rows(range) }
    let width = entry.shape.dropFirst().reduce(1, *)
    precondition(
      !entry.shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= entry.shape[0],
      "rows \(range) of shape \(entry.shape)")
    return try read(
      name, elements: range.lowerBound * width..<range.upperBound * width,
      shape: [range.count] + entry.shape.dropFirst())
  }

  /// A tensor of whole numbers (or truth values, as 0 and 1), flat, in row-major order.
  /// - Throws: `CheckpointError.missing` or `unsupportedType`.
  public func integers(_ name: String) throws(CheckpointError) -> [Int] {
    let entry = try entry(name)
    let bytes = UnsafeRawBufferPointer(rebasing: map.bytes[entry.byteRange])
    func widened<Stored: FixedWidthInteger>(_: Stored.Type) -> [Int] {
      (0..<entry.count).map { index in
        let stored = bytes.loadUnaligned(
          fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
        return Int(truncatingIfNeeded: Stored(littleEndian: stored))
      }
    }
    guard entry.strides == nil else {
      throw .unsupportedType(path: path, tensor: name, type: entry.type + ", transposed")
    }
    switch entry.type {
    case "I64", "U64": return widened(Int64.self)
    case "I32": return widened(Int32.self)
    case "U32": return widened(UInt32.self)
    case "I16": return widened(Int16.self)
    case "U16": return widened(UInt16.self)
    case "I8": return widened(Int8.self)
    case "U8", "BOOL": return widened(UInt8.self)
    default: throw .unsupportedType(path: path, tensor: name, type: entry.type)
    }
  }

  /// A tensor stored as `F64`, flat, in row-major order.
  /// - Throws: `CheckpointError.missing` or `unsupportedType`.
  public func doubles(_ name: String) throws(CheckpointError) -> [Double] {
    let entry = try entry(name)
    guard entry.type == "F64", entry.strides == nil else {
      throw .unsupportedType(path: path, tensor: name, type: entry.type)
    }
    let bytes = UnsafeRawBufferPointer(rebasing: map.bytes[entry.byteRange])
    return (0..<entry.count).map { index in
      Double(
        bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)))
    }
  }

  /// Some bytes of a tensor, as they lie in the file.
  /// - Precondition: the tensor is in the file, and the range within it.
  public func bytes(of name: String, _ range: Range<Int>) -> [UInt8] {
    guard let entry = entries[name] else { preconditionFailure("no tensor '\(name)'") }
    precondition(range.upperBound <= entry.byteRange.count, "bytes \(range) of '\(name)'")
    let start = entry.byteRange.lowerBound
    return Array(map.bytes[start + range.lowerBound..<start + range.upperBound])
  }

  /// A tensor's bytes where they lie in the map, which lives as long as what is answered.
  /// - Throws: `CheckpointError.missing`, or `unsupportedType` for another element type.
  public func mappedBytes(_ name: String, type: String) throws(CheckpointError) -> MappedBytes {
    let entry = try entry(name)
    guard entry.type == type, entry.strides == nil else {
      throw .unsupportedType(path: path, tensor: name, type: entry.type)
    }
    return MappedBytes(map, entry.byteRange)
  }

  /// Refuses a tensor that has another shape.
  /// - Throws: `CheckpointError.missing` or `wrongShape`.
  public func requireShape(_ shape: [Int], of name: String) throws(CheckpointError) {
    let found = try entry(name).shape
    guard found == shape else {
      throw .wrongShape(path: path, tensor: name, found: found, expected: shape)
    }
  }

  /// Refuses a tensor whose elements cannot be read as float32.
  /// - Throws: `CheckpointError.missing` or `unsupportedType`.
  public func requireReadableType(of name: String) throws(CheckpointError) {
    _ = try format(of: name, entry(name))
  }

  /// Whether `tensor(_:shape:)` answers with the file's own bytes rather than a widened copy.
  public func isReadInPlace(_ name: String) -> Bool {
    guard let entry = entries[name] else { return false }
    return entry.type == "F32" && entry.strides == nil && entry.byteRange.lowerBound % 4 == 0
  }

  /// Whether `widen(_:of:into:)` can take parts of a tensor.
  public func isWidenedInParts(_ name: String) -> Bool {
    guard let entry = entries[name] else { return false }
    return entry.strides == nil && entry.shape.count >= 2
  }

  /// Part of a matrix as float32, in memory that exists already: `target` becomes `[rows, columns]` of the window.
  ///
  /// - Parameter offset: the element of the tensor with which the matrix begins, where it is one of several.
  /// - Precondition: `isWidenedInParts`, and `target` has as many elements.
  /// - Throws: as `tensor(_:shape:)`; only the elements that are read are checked for being finite.
  public func widen(
    rows: Range<Int>, columns: Range<Int>, of name: String, offset: Int = 0, into target: inout Tensor
  ) throws(CheckpointError) {
    let entry = try entry(name)
    let width = entry.shape[entry.shape.count - 1]
    precondition(
      isWidenedInParts(name) && rows.lowerBound >= 0 && offset >= 0
        && offset + rows.upperBound * width <= entry.count && columns.lowerBound >= 0
        && columns.upperBound <= width && target.count == rows.count * columns.count,
      "rows \(rows), columns \(columns) from \(offset) of shape \(entry.shape) into \(target.shape)")
    let format = try format(of: name, entry)
    let address = FloatAddress(target.mutablePointer())
    let isWhole = columns.count == width
    let first = offset + rows.lowerBound * width + columns.lowerBound
    let start = entry.byteRange.lowerBound
    if isWhole {
      widen(format, start: start + format.byteOffset(of: first), count: target.count, to: address)
    } else {
      parallelRanges(rows.count, minimum: max(1, (1 << 16) / columns.count)) { part in
        for row in part {
          widen(
            format, start: start + format.byteOffset(of: first + row * width), count: columns.count,
            to: FloatAddress(address.address + row * columns.count))
        }
      }
    }
    if let index = target.firstNotFinite() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns.count)
      throw .notFinite(
        path: path, tensor: name,
        index: offset + (rows.lowerBound + row) * width + columns.lowerBound + column)
    }
  }

  /// Tells the kernel that a tensor's pages will be needed soon.
  public func prefetch(_ name: String) {
    guard let entry = entries[name] else { return }
    map.prefetch(entry.byteRange)
  }

  /// Tells the kernel that a tensor's pages will not be needed soon.
  public func release(_ name: String) {
    guard let entry = entries[name] else { return }
    map.release(entry.byteRange)
  }

  private func read(
    _ name: String, elements: Range<Int>, shape: [Int]
  ) throws(CheckpointError) -> Tensor {
    let tensor = try readUnchecked(name, elements: elements, shape: shape)
    if let index = tensor.firstNotFinite() {
      throw .notFinite(path: path, tensor: name, index: elements.lowerBound + index)
    }
    return tensor
  }

  private func readUnchecked(
    _ name: String, elements: Range<Int>, shape: [Int]
  ) throws(CheckpointError) -> Tensor {
    let entry = try entry(name)
    let format = try format(of: name, entry)
    let start = entry.byteRange.lowerBound + format.byteOffset(of: elements.lowerBound)
    let tensor: Tensor
    if entry.type == "F32", start % 4 == 0 {
      let storage = TensorStorage(map: map, byteOffset: start, count: elements.count)
      tensor = Tensor(shape: shape, storage: storage, offset: 0)
    } else {
      tensor = Tensor(uninitialized: shape)
      widen(format, start: start, count: tensor.count, to: FloatAddress(tensor.storage.base))
    }
    return tensor
  }

  /// The layout of a type that can be read as float32.
  private func format(of name: String, _ entry: SafetensorsEntry) throws(CheckpointError) -> ElementFormat {
    guard let format = ElementFormat(entry.type) else {
      throw .unsupportedType(path: path, tensor: name, type: entry.type)
    }
    return format
  }

  /// How many neighbours in a row must be read together: those of a block.
  public func blockLength(of name: String) -> Int {
    entries[name].flatMap { ElementFormat($0.type)?.elements } ?? 1
  }

  /// Whether the elements are 8-bit floats, which usually go with scales in a tensor of their own.
  public func isFloat8(_ name: String) -> Bool { entries[name]?.type.hasPrefix("F8_") ?? false }

  /// Writes `count` elements that start at byte `start`, that of a block, as float32.
  private func widen(_ format: ElementFormat, start: Int, count: Int, to target: FloatAddress) {
    guard count > 0, let base = map.bytes.baseAddress else { return }
    let source = ByteAddress(base + start)
    parallelRanges(count / format.elements, minimum: max(1, (1 << 16) / format.elements)) { range in
      let out = target.address + range.lowerBound * format.elements
      let bytes = source.address + range.lowerBound * format.bytes
      switch format.reading {
      case .float32:
        UnsafeMutableRawPointer(out).copyMemory(from: bytes, byteCount: 4 * range.count)
      case .float16, .bfloat16:
        // A tensor may start at an odd byte; then its elements are copied to where they can be read.
        if Int(bitPattern: bytes) % 2 == 0 {
          widenHalves(bytes.assumingMemoryBound(to: UInt16.self), format.reading, out, range.count)
        } else {
          withUnsafeTemporaryAllocation(of: UInt16.self, capacity: range.count) { aligned in
            UnsafeMutableRawBufferPointer(aligned).copyMemory(
              from: UnsafeRawBufferPointer(start: bytes, count: 2 * range.count))
            if let start = aligned.baseAddress { widenHalves(start, format.reading, out, range.count) }
          }
        }
      case .float8(let hasFour):
        ck_widen_float8(hasFour ? 1 : 0, bytes.assumingMemoryBound(to: UInt8.self), out, range.count)
      case .blocks(let number):
        _ = ck_widen_blocks(number, bytes.assumingMemoryBound(to: UInt8.self), out, range.count)
      }
    }
  }
}

private func widenHalves(
  _ source: UnsafePointer<UInt16>, _ reading: ElementFormat.Reading, _ target: UnsafeMutablePointer<Float>,
  _ count: Int
) {
  if reading == .bfloat16 {
    ck_widen_bfloat16(source, target, count)
  } else {
    ck_widen_float16(source, target, count)
  }
}
