// Files that hold a table in another form than lines of cells: unpacked or rewritten as such lines, or named as what
// they are.

import Files

/// Forms of a table that are not lines of cells.
enum TableContainer {
  /// The table as lines of cells; nil where the bytes are that already.
  /// - Throws: `TableError.otherFormat` where the form is known and not read, `FileError` where an archive is broken.
  static func text(_ bytes: UnsafeRawBufferPointer, path: String) throws -> [UInt8]? {
    for (start, name, way) in Self.unread where bytes.starts(with: start) {
      throw TableError.otherFormat(path: path, format: name, way: way)
    }
    if isSafetensors(bytes) {
      throw TableError.otherFormat(
        path: path, format: "a safetensors file",
        way: "'fit', 'explain' and 'importance' take one that 'headlamp quantise' wrote")
    }
    if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return try member(bytes, path: path) }
    let beginning = String(decoding: bytes.prefix(4096), as: UTF8.self)
    let trimmed = beginning.drop { $0.isWhitespace || $0 == "\u{feff}" }
    if trimmed.first == "{"
      || trimmed.hasPrefix("[") && trimmed.dropFirst().drop(while: \.isWhitespace).first == "{"
    {
      return try RecordLines(bytes, path: path).text
    }
    if ARFFText.recognises(beginning) { return try ARFFText.cells(bytes, path: path) }
    if SparseLines.recognises(trimmed) { return try SparseLines.cells(bytes, path: path) }
    return nil
  }

  private static let unread: [(start: [UInt8], name: String, way: String)] = [
    (Array("PAR1".utf8), "a Parquet file", inPandas("read_parquet")),
    (Array("ARROW1".utf8), "an Arrow file", inPandas("read_feather")),
    (Array("FEA1".utf8), "a Feather file", inPandas("read_feather")),
    (Array("ORC".utf8), "an ORC file", inPandas("read_orc")),
    (
      Array("SQLite format 3\0".utf8), "an SQLite database",
      "write the table out first: sqlite3 -header -csv FILE \"SELECT * FROM TABLE\" > table.csv"
    ),
    ([0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook", "save the sheet as CSV"),
    ([0x89, 0x48, 0x44, 0x46], "an HDF5 file", inPandas("read_hdf")),
    ([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], "a NumPy array", "write it out with numpy.savetxt first"),
    (
      [0x80, 0x04, 0x95], "a Python pickle", "pickles are never opened; write the table out with to_csv first"
    ),
    (
      [0x80, 0x05, 0x95], "a Python pickle", "pickles are never opened; write the table out with to_csv first"
    ),
    (Array("BZh".utf8), "a bzip2 file", "unpack it with bunzip2 first"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "an xz file", "unpack it with unxz first"),
    ([0x28, 0xb5, 0x2f, 0xfd], "a Zstandard file", "unpack it with unzstd first"),
    (Array("%PDF".utf8), "a PDF document", "a table in CSV is needed"),
    (Array("<!DOCTYPE".utf8), "a web page", "download the table itself"),
    (Array("<html".utf8), "a web page", "download the table itself"),
    ([0x24, 0x46, 0x4c, 0x32], "an SPSS file", inPandas("read_spss")),
  ]

  /// Eight bytes of a length, and JSON of that length.
  private static func isSafetensors(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 10, bytes[8] == UInt8(ascii: "{") else { return false }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    return length < UInt64(bytes.count) && bytes[0] != UInt8(ascii: "{")
  }

  private static func inPandas(_ reader: String) -> String {
    "write it out as CSV first: python3 -c \"import pandas; pandas.\(reader)('FILE').to_csv('table.csv', index=False)\""
  }

  /// The only table in a zip archive.
  private static func member(_ bytes: UnsafeRawBufferPointer, path: String) throws -> [UInt8] {
    let archive = try ZipArchive(bytes, path: path)
    if archive.members.contains(where: { $0.name.hasPrefix("xl/") }) {
      throw TableError.otherFormat(path: path, format: "an Excel workbook", way: "save the sheet as CSV")
    }
    if archive.members.contains(where: { $0.name == "content.xml" }) {
      throw TableError.otherFormat(path: path, format: "an OpenDocument file", way: "save the sheet as CSV")
    }
    let tables = archive.members.filter { member in
      let name = member.name.split(separator: "/").last ?? ""
      return !name.hasPrefix(".") && !member.name.hasPrefix("__MACOSX")
    }
    let likely = tables.filter { member in
      [".csv", ".tsv", ".txt", ".data", ".arff", ".jsonl"].contains { member.name.lowercased().hasSuffix($0) }
    }
    let chosen = tables.count == 1 ? tables : likely
    guard chosen.count == 1 else {
      let names = (likely.isEmpty ? tables : likely).prefix(5).map { "'\($0.name)'" }.joined(separator: ", ")
      throw TableError.otherFormat(
        path: path, format: "a zip archive of \(tables.count) files", way: "unpack one of them: \(names)")
    }
    let text = try archive.contents(of: chosen[0])
    return try text.withUnsafeBytes { try Self.text($0, path: path) } ?? text
  }

  /// A cell's text in a line of cells.
  static func cell(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x2c || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }) else {
      return text
    }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}
