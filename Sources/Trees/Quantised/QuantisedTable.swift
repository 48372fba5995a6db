// A table of one byte a cell in a file: read once, then mapped by every process that fits trees to it.

import Checkpoints
import Files
import Tables
import Tensors

/// A quantised table: a safetensors file of codes, targets and a sample of the rows as they were.
///
/// | tensor | type | shape | what it holds |
/// |---|---|---|---|
/// | `codes` | U8 | `[features, rows]` | each cell's bin; the number of bins where the cell is missing |
/// | `row_codes` | U8 | `[rows, features]` | the same, row by row |
/// | `target` | F32 | `[rows]` | quantities, or indices of classes; NaN where missing |
/// | `sample_cells` | F32 | `[features, sampled rows]` | cells as they were; NaN where missing |
/// | `sample_rows` | I64 | `[sampled rows]` | where each stands among all rows, counted from 0 |
///
/// The text `headlamp_table` in the header is JSON: `target`, `classes` (or null), and for every feature its `name` and
/// either `cuts`, or `categories`, `bins` and `others`.
public struct QuantisedTable: Sendable {
  /// The file.
  public let path: String
  /// The features' names.
  public let featureNames: [String]
  /// The target column's name.
  public let targetName: String
  /// The classes' names; nil where the target is a quantity.
  public let classNames: [String]?
  /// The number of rows.
  public let rowCount: Int
  /// The sampled rows as a table; rows without a target are not in it.
  public let sample: Table
  /// Where each row of `sample` stands among all rows, counted from 0.
  public let sampleRows: [Int]
  let bins: FeatureBins
  private let file: SafetensorsFile
  private let codes: MappedBytes
  private let rowCodes: MappedBytes

  /// Whether a file is a quantised table, by its first bytes.
  public static func isOne(_ path: String) -> Bool {
    guard let file = try? MappedFile(path: path), file.bytes.count > 8 else { return false }
    let start = String(decoding: file.bytes[8..<min(file.bytes.count, 72)], as: UTF8.self)
    return start.filter { $0 != " " }.hasPrefix("{\"__metadata__\":{\"\(QuantisedTableText.key)\"")
  }

  /// Opens a quantised table; codes stay in the file.
  /// - Throws: `FileError`, `CheckpointError`, or `TreeError.notAQuantisedTable` saying what is wrong.
  public init(path: String) throws {
    file = try SafetensorsFile(path: path)
    guard let words = file.metadata[QuantisedTableText.key] else {
      throw TreeError.notAQuantisedTable(path: path, problem: "it has no text '\(QuantisedTableText.key)'")
    }
    let text: QuantisedTableText
    do throws(QuantisedTableProblem) { text = try QuantisedTableText(parsing: words) } catch {
      throw TreeError.notAQuantisedTable(path: path, problem: error.problem)
    }
    let shape = try file.entry("target").shape
    let sampled = try file.entry("sample_rows").shape
    guard shape.count == 1, sampled.count == 1, shape[0] <= Int(Int32.max) else {
      throw TreeError.notAQuantisedTable(path: path, problem: "its tensors are not of the right shapes")
    }
    let count = text.names.count
    rowCount = shape[0]
    try file.requireShape([count, rowCount], of: "codes")
    try file.requireShape([count, sampled[0]], of: "sample_cells")
    try file.requireShape([rowCount, count], of: "row_codes")
    codes = try file.mappedBytes("codes", type: "U8")
    rowCodes = try file.mappedBytes("row_codes", type: "U8")
    self.path = path
    featureNames = text.names
    targetName = text.target
    classNames = text.classes
    bins = text.bins
    try Self.check(codes, rowCodes, rows: rowCount, bins: text.bins, names: text.names, path: path)
    let rows = try file.integers("sample_rows")
    let (total, categories) = (rowCount, text.bins.kinds)
    guard rows.allSatisfy({ (0..<total).contains($0) }) else {
      throw TreeError.notAQuantisedTable(path: path, problem: "a sampled row is none of its rows")
    }
    let cells = try file.uncheckedNumbers("sample_cells")
    for (feature, kind) in categories.enumerated() {
      guard case .categorical(let names) = kind else { continue }
      let own = cells[feature * rows.count..<(feature + 1) * rows.count]
      guard own.allSatisfy({ $0.isNaN || ($0 >= 0 && $0 <= Float(names.count) && $0 == $0.rounded()) }) else {
        throw TreeError.notAQuantisedTable(
          path: path, problem: "'\(text.names[feature])' has a cell that is none of its categories")
      }
    }
    let targets = try Self.targets(file, rows: 0..<rowCount, path: path, classes: text.classes)
    let known = rows.indices.filter { !targets[rows[$0]].isNaN }
    sampleRows = known.map { rows[$0] }
    let features = Features(
      names: text.names, kinds: text.bins.kinds, rowCount: rows.count, values: cells)
    let target: Target =
      text.classes.map { names in .classes(known.map { Int(targets[rows[$0]]) }, names: names) }
      ?? .values(known.map { targets[rows[$0]] })
    guard !known.isEmpty else { throw TreeError.noRows }
    sample = Table(
      features: known.count == rows.count ? features : features.selecting(rows: known), target: target,
      targetName: text.target)
  }

  /// Refuses codes of bins that there are not: histograms have no room for them.
  private static func check(
    _ codes: MappedBytes, _ rowCodes: MappedBytes, rows: Int, bins: FeatureBins, names: [String], path: String
  ) throws {
    let columns = CodeColumns(codes, stride: rows, firstRow: 0)
    let lines = RowCodes(rowCodes, features: names.count, firstRow: 0)
    let count = names.count
    var greatest = parallelMap(count) { feature -> UInt8 in
      let column = columns.column(feature)
      var greatest: UInt8 = 0
      for row in 0..<rows { greatest = max(greatest, column[row]) }
      return greatest
    }
    let stretches = parallelMap((rows + 65_535) / 65_536) { stretch -> [UInt8] in
      var greatest = [UInt8](repeating: 0, count: count)
      greatest.withUnsafeMutableBufferPointer { greatest in
        for row in stretch * 65_536..<min(rows, (stretch + 1) * 65_536) {
          let own = lines.base + row * count
          for feature in 0..<count { greatest[feature] = max(greatest[feature], own[feature]) }
        }
      }
      return greatest
    }
    for stretch in stretches {
      for feature in 0..<count { greatest[feature] = max(greatest[feature], stretch[feature]) }
    }
    if let feature = names.indices.first(where: { Int(greatest[$0]) > bins.binCounts[$0] }) {
      throw TreeError.notAQuantisedTable(
        path: path,
        problem: "a cell of '\(names[feature])' is in bin \(greatest[feature]) of \(bins.binCounts[feature])")
    }
  }

  private static func targets(
    _ file: SafetensorsFile, rows: Range<Int>, path: String, classes: [String]?
  ) throws -> [Float] {
    let bytes = try file.mappedBytes("target", type: "F32").bytes
    let targets = rows.map { row in
      Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * row, as: UInt32.self)))
    }
    let most = classes.map { Float($0.count) } ?? .infinity
    if let place = targets.firstIndex(where: {
      !$0.isNaN && (classes == nil ? !$0.isFinite : $0 < 0 || $0 >= most || $0 != $0.rounded())
    }) {
      throw TreeError.notAQuantisedTable(
        path: path, problem: "the target of row \(rows.lowerBound + place + 1) is \(targets[place])")
    }
    return targets
  }

  /// The targets of some rows: quantities, or indices of classes; NaN where missing.
  func targets(_ rows: Range<Int>) throws -> [Float] {
    try Self.targets(file, rows: rows, path: path, classes: classNames)
  }

  /// Some rows' codes, where they lie.
  func features(_ rows: Range<Int>) -> QuantisedFeatures {
    QuantisedFeatures(
      rowCount: rows.count, bins: bins,
      codes: CodeColumns(codes, stride: rowCount, firstRow: rows.lowerBound),
      rowCodes: RowCodes(rowCodes, features: featureNames.count, firstRow: rows.lowerBound))
  }

  /// Whether each of some rows is held out: by a hash of its codes, so that copies of a row are on one side.
  /// - Parameter share: about how many rows are held out, of all.
  func heldOut(_ rows: Range<Int>, share: Double, seed: UInt64) -> [Bool] {
    let features = features(rows)
    let count = featureNames.count
    let limit = UInt64(share * 0x1p53)
    return [Bool](unsafeUninitializedCapacity: rows.count) { held, initialized in
      initialized = rows.count
      guard let base = held.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelRanges(rows.count, minimum: 4096) { range in
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 4096) {
          let block = start..<min(start + 4096, range.upperBound)
          var hashes = [UInt64](repeating: 0xcbf2_9ce4_8422_2325 ^ seed, count: block.count)
          for feature in 0..<count {
            let codes = features.codes.column(feature) + start
            for place in 0..<block.count {
              hashes[place] = (hashes[place] ^ UInt64(codes[place])) &* 0x100_0000_01b3
            }
          }
          for place in 0..<block.count {
            var mixed = hashes[place]
            mixed = (mixed ^ (mixed >> 33)) &* 0xff51_afd7_ed55_8ccd
            mixed = (mixed ^ (mixed >> 33)) &* 0xc4ce_b9fe_1a85_ec53
            shared.base[start + place] = (mixed ^ (mixed >> 33)) >> 11 < limit
          }
        }
      }
    }
  }

  /// The rows of `sample` that `boosted` fits to and those that it holds out, as places in `sample`.
  public func sampleSplit(holding share: Double, seed: UInt64) -> Split {
    let held = heldOut(0..<rowCount, share: share, seed: seed)
    let places = sampleRows.indices
    return Split(
      training: places.filter { !held[sampleRows[$0]] }, held: places.filter { held[sampleRows[$0]] })
  }
}
