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
  try withTableText(path: path, options: options) { text, encoding throws(TableError) in
    try parseColumns(text, encoding, target, options)
  }
}

/// Calls `body` with a file's cells: unpacked, in UTF-8, without comments, with one separator.
func withTableText<Result>(
  path: String, options: TableOptions, _ body: (TableText, TextEncoding) throws(TableError) -> Result
) throws -> Result {
  let file = try MappedFile(path: path)
  if file.bytes.starts(with: [0x1f, 0x8b]) {
    return try withBytes(try gunzip(file)) { (bytes) throws(TableError) in
      try withText(path, bytes, of: nil, options, body)
    }
  }
  return try withExtendedLifetime(file) {
    if let text = try TableContainer.text(file.bytes, path: path) {
      return try withBytes(text) { (bytes) throws(TableError) in
        try withText(path, bytes, of: nil, options, body)
      }
    }
    return try withText(path, file.bytes, of: file, options, body)
  }
}

private func withBytes<Result>(
  _ owned: consuming [UInt8], _ body: (UnsafeRawBufferPointer) throws(TableError) -> Result
) throws(TableError) -> Result {
  let count = owned.count
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, count), alignment: 8)
  defer { copy.deallocate() }
  copy.copyBytes(from: owned)
  owned = []
  return try body(UnsafeRawBufferPointer(rebasing: copy[0..<count]))
}

/// Brings bytes into UTF-8 and takes comments out.
private func withText<Result>(
  _ path: String, _ bytes: UnsafeRawBufferPointer, of file: MappedFile?, _ options: TableOptions,
  _ body: (TableText, TextEncoding) throws(TableError) -> Result
) throws(TableError) -> Result {
  guard !bytes.isEmpty else { throw .empty(path: path) }
  let encoding = TextEncoding.detect(bytes)
  file?.release(0..<bytes.count)
  func withoutComments(_ bytes: UnsafeRawBufferPointer, of file: MappedFile?) throws(TableError) -> Result {
    let from = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard Separator.endOfComments(bytes, from: from) != nil else {
      return try withCells(path, bytes, of: file, options) { (text) throws(TableError) in
        try body(text, encoding)
      }
    }
    let plain = Separator.withoutComments(UnsafeRawBufferPointer(rebasing: bytes[from...]))
    return try withBytes(plain) { (bytes) throws(TableError) in
      try withCells(path, bytes, of: nil, options) { (text) throws(TableError) in try body(text, encoding) }
    }
  }
  guard encoding == .utf8 else {
    return try withBytes(encoding.decoded(bytes)) { (bytes) throws(TableError) in
      try withoutComments(bytes, of: nil)
    }
  }
  return try withoutComments(bytes, of: file)
}

/// Finds the separator and the rows.
private func withCells<Result>(
  _ path: String, _ bytes: UnsafeRawBufferPointer, of file: MappedFile?, _ options: TableOptions,
  _ body: (TableText) throws(TableError) -> Result
) throws(TableError) -> Result {
  let from = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
  let separator = options.separator ?? Separator.detect(bytes, from: from)
  guard separator == Separator.blanks else {
    return try body(
      try TableText(path: path, bytes: bytes, separator: separator, file: file, options: options))
  }
  return try withBytes(Separator.blanksToTabs(bytes)) { (bytes) throws(TableError) in
    try body(try TableText(path: path, bytes: bytes, separator: 0x09, file: nil, options: options))
  }
}

private func parseColumns(
  _ text: TableText, _ encoding: TextEncoding, _ target: TargetColumn, _ options: TableOptions
) throws(TableError) -> ParsedColumns {
  let path = text.path
  let name: String? = if case .named(let name) = target { name } else { nil }
  let plan = try ColumnPlan(text, target: name, options: options)
  let rowCount = text.rows.count - plan.firstDataRow
  guard rowCount > 0 else { throw .noRows(path: path) }
  guard rowCount <= Int(Int32.max) else { throw .tooManyRows(path: path) }
  var assembly = ColumnAssembly(text: text, plan: plan, rowCount: rowCount, options: options)
  let values = try assembly.filled()
  let missing = options.furtherMissingTexts.indices.filter { !assembly.missingMet.contains($0) }
  if let first = missing.first {
    throw .missingTextNotMet(path: path, text: options.furtherMissingTexts[first])
  }
  if let idle = assembly.optionWithoutEffect(values, target: target) { throw idle }
  return assembly.finished(values, target: target, encoding: encoding, separator: text.separator)
}
