// From a file to columns: two passes over its bytes, the second on all cores.
//
// Memory: the columns themselves and a tile a thread; pages of the file are given back as soon as they are read.

import Files
import Tensors

/// The columns of a file, before one of them becomes the target.
struct ParsedColumns {
  var names: [String]
  var kinds: [FeatureKind]
  var rowCount: Int
  /// Column-major.
  var values: [Float]
  var forms: [Int: NumberForm]
  var scales: [Int: ExactScale]
  /// Names that more than one column had.
  var repeatedNames: [String]
  /// Every column of the file, in its order.
  var readings: [ColumnReading]
  var encoding: TextEncoding
  var separator: UInt8
  var hasHeader: Bool
}

/// Which column of a file is the target.
enum TargetColumn: Equatable {
  case none
  case last
  case named(String)
}

/// Reads every kept column of a file.
/// - Parameter target: a column that is kept whatever it looks like, and has no parts.
func readColumns(path: String, target: TargetColumn, options: TableOptions) throws -> ParsedColumns {
  let file = try MappedFile(path: path)
  if file.bytes.starts(with: [0x1f, 0x8b]) {
    return try gunzip(file).withUnsafeBytes { bytes in
      try parseBytes(path: path, bytes: bytes, of: nil, target: target, options: options)
    }
  }
  return try withExtendedLifetime(file) {
    if let text = try TableContainer.text(file.bytes, path: path) {
      return try text.withUnsafeBytes { bytes in
        try parseBytes(path: path, bytes: bytes, of: nil, target: target, options: options)
      }
    }
    return try parseBytes(path: path, bytes: file.bytes, of: file, target: target, options: options)
  }
}

/// Brings the bytes into a form whose rows and cells can be found: UTF-8, without comments, with one separator.
private func parseBytes(
  path: String, bytes: UnsafeRawBufferPointer, of file: MappedFile?, target: TargetColumn, options: TableOptions
) throws(TableError) -> ParsedColumns {
  guard !bytes.isEmpty else { throw .empty(path: path) }
  let encoding = TextEncoding.detect(bytes)
  file?.release(0..<bytes.count)
  guard encoding == .utf8 else {
    return try withBytes(encoding.decoded(bytes)) { (bytes) throws(TableError) in
      try parseText(path: path, bytes, of: nil, encoding, target, options)
    }
  }
  return try parseText(path: path, bytes, of: file, encoding, target, options)
}

private func withBytes<Result>(
  _ owned: [UInt8], _ body: (UnsafeRawBufferPointer) throws(TableError) -> Result
) throws(TableError) -> Result {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, owned.count), alignment: 8)
  defer { copy.deallocate() }
  copy.copyBytes(from: owned)
  return try body(UnsafeRawBufferPointer(rebasing: copy[0..<owned.count]))
}

private func parseText(
  path: String, _ bytes: UnsafeRawBufferPointer, of file: MappedFile?, _ encoding: TextEncoding,
  _ target: TargetColumn, _ options: TableOptions
) throws(TableError) -> ParsedColumns {
  let from = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  if Separator.endOfComments(bytes, from: from) != nil {
    return try withBytes(Separator.withoutComments(UnsafeRawBufferPointer(rebasing: bytes[from...]))) {
      (bytes) throws(TableError) in
      try parseCells(path: path, bytes, of: nil, encoding, target, options)
    }
  }
  return try parseCells(path: path, bytes, of: file, encoding, target, options)
}

private func parseCells(
  path: String, _ bytes: UnsafeRawBufferPointer, of file: MappedFile?, _ encoding: TextEncoding,
  _ target: TargetColumn, _ options: TableOptions
) throws(TableError) -> ParsedColumns {
  let from = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  let separator = options.separator ?? Separator.detect(bytes, from: from)
  if separator == Separator.blanks {
    return try withBytes(Separator.blanksToTabs(bytes)) { (bytes) throws(TableError) in
      try parseColumns(path: path, bytes, 0x09, of: nil, encoding, target, options)
    }
  }
  return try parseColumns(path: path, bytes, separator, of: file, encoding, target, options)
}

private func parseColumns(
  path: String, _ bytes: UnsafeRawBufferPointer, _ separator: UInt8, of file: MappedFile?, _ encoding: TextEncoding,
  _ target: TargetColumn, _ options: TableOptions
) throws(TableError) -> ParsedColumns {
  let text = try TableText(path: path, bytes: bytes, separator: separator, file: file, options: options)
  let name: String? = if case .named(let name) = target { name } else { nil }
  let plan = try ColumnPlan(text, target: name, options: options)
  let rowCount = text.rows.count - plan.firstDataRow
  guard rowCount > 0 else { throw .noRows(path: path) }
  guard rowCount <= Int(Int32.max) else { throw .tooManyRows(path: path) }
  var assembly = ColumnAssembly(text: text, plan: plan, rowCount: rowCount, options: options)
  var failure: TableError?
  let values = [Float](unsafeUninitializedCapacity: plan.kept.count * rowCount) { buffer, initialized in
    guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
    do throws(TableError) {
      try assembly.fill(SendablePointer(base))
      initialized = buffer.count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  let missing = options.furtherMissingTexts.indices.filter { !assembly.missingMet.contains($0) }
  if let first = missing.first {
    throw .missingTextNotMet(path: path, text: options.furtherMissingTexts[first])
  }
  return assembly.finished(values, target: target, encoding: encoding, separator: separator)
}
