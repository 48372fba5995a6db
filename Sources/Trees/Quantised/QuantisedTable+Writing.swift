// From a table's file to a quantised one: two looks at the text, and no more than a run of rows in memory.

import Checkpoints
import Files
import Tables
import Tensors

/// How a table is quantised.
public struct QuantisingOptions: Sendable {
  /// The most bins of a feature, 2 to 255.
  public var maximumBins = 255
  /// How many rows the columns and their bins are understood from.
  public var sampleSize = 200_000
  /// How many rows are read at a time.
  public var runSize = 1 << 18
  /// The seed of the sampled rows.
  public var seed: UInt64 = 0

  /// 255 bins, understood from 200,000 rows.
  public init() {}
}

extension QuantisedTable {
  /// Reads a table and writes it quantised to `output`, whole or not at all.
  ///
  /// Memory: a run of rows, the sample, the targets, and eight bytes a row for where its line begins.
  /// - Parameter progress: told how many rows are done, of all.
  /// - Returns: what was understood of the columns.
  /// - Throws: `FileError`, or `TableError` naming line and column.
  public static func quantise(
    _ path: String, target: String?, options tableOptions: TableOptions, _ options: QuantisingOptions,
    to output: String, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> TableSample {
    var writer: QuantisedTableWriter?
    var found: TableSample?
    let classes = try readTableRuns(
      path: path, target: target, options: tableOptions, sampleSize: options.sampleSize,
      runSize: options.runSize, seed: options.seed,
      begin: { sample in
        writer = try QuantisedTableWriter(sample, options, output)
        found = sample
      },
      body: { run in
        try writer?.write(run)
        progress(run.firstRow + run.features.rowCount, found?.rowCount ?? 0)
      })
    guard let writer, let found else { throw TableError.empty(path: path) }
    if case .classes(let labels, _) = found.table.target, classes.count < 2 {
      throw TreeError.oneClass(labels.first.map { classes[$0] } ?? "")
    }
    try writer.commit(classes: classes)
    return found
  }
}

/// A quantised table in the making.
private struct QuantisedTableWriter {
  private let assembly: SafetensorsAssembly
  private let sample: TableSample
  private let bins: FeatureBins
  /// Room in the header for classes that the sample does not show.
  private static let room = 1 << 18

  init(_ sample: TableSample, _ options: QuantisingOptions, _ path: String) throws {
    self.sample = sample
    let table = sample.table
    bins = FeatureBins(table.features, maximumBins: options.maximumBins, others: true)
    let (count, rows) = (table.features.count, sample.rowCount)
    assembly = try SafetensorsAssembly(
      [
        .init("codes", type: "U8", width: 1, shape: [count, rows]),
        .init("row_codes", type: "U8", width: 1, shape: [rows, count]),
        .init("target", type: "F32", width: 4, shape: [rows]),
        .init("sample_cells", type: "F32", width: 4, shape: [count, table.rowCount]),
        .init("sample_rows", type: "I64", width: 8, shape: [table.rowCount]),
      ],
      // The text is a string within JSON: its quotes take two bytes.
      room: 2
        * QuantisedTableText(
          names: table.features.names, target: table.targetName, classes: nil, bins: bins
        ).line.utf8.count + Self.room, to: path)
  }

  func write(_ run: TableRun) throws {
    let (rows, count) = (run.features.rowCount, run.features.count)
    let bins = bins
    let codes = CodeColumns(rows: rows, features: count) { target in
      run.features.withCells { cells in
        parallelFor(count) { feature in
          bins.encode(
            feature,
            UnsafeBufferPointer(start: cells.base + feature * cells.storedRowCount, count: rows),
            to: target.base + feature * rows)
        }
      }
    }
    for feature in 0..<count {
      let own = UnsafeRawBufferPointer(start: codes.column(feature), count: rows)
      try assembly.write(own.bytes, to: "codes", at: feature * sample.rowCount + run.firstRow)
    }
    try writeRows(codes, count: count, of: run)
    try run.target.withUnsafeBytes {
      try assembly.write($0.bytes, to: "target", at: 4 * run.firstRow)
    }
  }

  /// The codes of a run row by row.
  private func writeRows(_ codes: CodeColumns, count: Int, of run: TableRun) throws {
    let rows = run.features.rowCount
    let lines = [UInt8](unsafeUninitializedCapacity: rows * count) { lines, initialized in
      initialized = rows * count
      guard let base = lines.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelRanges(rows, minimum: 4096) { range in
        for feature in 0..<count {
          let column = codes.column(feature)
          for row in range { shared.base[row * count + feature] = column[row] }
        }
      }
    }
    try lines.withUnsafeBytes {
      try assembly.write($0.bytes, to: "row_codes", at: run.firstRow * count)
    }
  }

  func commit(classes: [String]) throws {
    let table = sample.table
    for feature in 0..<table.features.count {
      try table.features.column(feature).withUnsafeBytes {
        try assembly.write($0.bytes, to: "sample_cells", at: 4 * feature * table.rowCount)
      }
    }
    try sample.rows.map { Int64($0).littleEndian }.withUnsafeBytes {
      try assembly.write($0.bytes, to: "sample_rows", at: 0)
    }
    let text = QuantisedTableText(
      names: table.features.names, target: table.targetName, classes: classes.isEmpty ? nil : classes,
      bins: bins)
    try assembly.commit(metadata: [QuantisedTableText.key: text.line])
  }
}
