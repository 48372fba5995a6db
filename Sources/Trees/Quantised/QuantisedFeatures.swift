// Features as one byte a cell: histograms over codes replace sorting in every node.

import Files
import Tables
import Tensors

/// Features quantised to the bins of `FeatureBins`, column-major, one byte a cell.
struct QuantisedFeatures: Sendable {
  let rowCount: Int
  let bins: FeatureBins
  let codes: CodeColumns
  /// The same codes row by row, where a file holds them so.
  let rowCodes: RowCodes?

  var binCounts: [Int] { bins.binCounts }
  var cutStarts: [Int] { bins.cutStarts }
  var cuts: [Float] { bins.cuts }
  var categories: [Int: [[Int]]] { bins.categories }
  var rareBins: [Int: Int] { bins.rareBins }
  var kinds: [FeatureKind] { bins.kinds }

  /// Codes that exist already.
  init(rowCount: Int, bins: FeatureBins, codes: CodeColumns, rowCodes: RowCodes? = nil) {
    self.rowCount = rowCount
    self.bins = bins
    self.codes = codes
    self.rowCodes = rowCodes
  }

  /// Quantises every feature. `maximumBins` lies in 2...255.
  init(_ features: Features, maximumBins: Int, minimumCategoryRows: Int? = nil) {
    let bins = FeatureBins(
      features, maximumBins: maximumBins, minimumCategoryRows: minimumCategoryRows, others: false)
    let (rows, count) = (features.rowCount, features.count)
    let codes = CodeColumns(rows: rows, features: count) { target in
      features.withCells { cells in
        parallelFor(count) { feature in
          let column = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(1, rows))
          defer { column.deallocate() }
          guard let base = column.baseAddress, rows > 0 else { return }
          cells.copy(feature, rowCount: rows, to: base)
          bins.encode(
            feature, UnsafeBufferPointer(rebasing: column[..<rows]), to: target.base + feature * rows)
        }
      }
    }
    self.init(rowCount: rows, bins: bins, codes: codes)
  }
}

/// Codes of features `[features, rows]`, wherever they lie.
struct CodeColumns: @unchecked Sendable {
  private let base: UnsafePointer<UInt8>
  /// How far two features of a row lie apart.
  private let stride: Int
  /// What keeps the codes in memory.
  private let owner: any Sendable

  /// Codes in memory of their own, which `fill` writes.
  init(rows: Int, features: Int, fill: (SendablePointer<UInt8>) -> Void) {
    let block = CodeBlock(count: rows * features)
    fill(SendablePointer(block.base))
    base = UnsafePointer(block.base)
    stride = rows
    owner = block
  }

  /// Codes of some rows of a mapped file's columns.
  /// - Precondition: the bytes hold `stride` rows of every feature.
  init(_ mapped: MappedBytes, stride: Int, firstRow: Int) {
    // An empty map has no address, and no row that anyone asks for.
    base =
      mapped.bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + firstRow }
      ?? UnsafePointer(noCodes.base)
    self.stride = stride
    owner = mapped
  }

  /// A feature's codes, one a row; valid as long as this value lives.
  @inline(__always)
  func column(_ feature: Int) -> UnsafePointer<UInt8> { base + feature * stride }
}

/// Codes of rows `[rows, features]` in a mapped file.
struct RowCodes: @unchecked Sendable {
  /// The first row's codes; valid as long as this value lives.
  let base: UnsafePointer<UInt8>
  private let mapped: MappedBytes

  /// Codes from a row on.
  /// - Precondition: the bytes hold whole rows of so many features, that one among them.
  init(_ mapped: MappedBytes, features: Int, firstRow: Int) {
    self.mapped = mapped
    base =
      mapped.bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + firstRow * features }
      ?? UnsafePointer(noCodes.base)
  }
}

/// Memory for codes.
private final class CodeBlock: @unchecked Sendable {
  let base: UnsafeMutablePointer<UInt8>

  init(count: Int) { base = .allocate(capacity: max(1, count)) }

  deinit { base.deallocate() }
}

/// Stands for the codes of an empty map; never read.
private let noCodes = SendablePointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 1))
