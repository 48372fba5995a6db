// Rows as records, gradient and codes side by side: one line of cache a row, however far apart a leaf's rows lie.

import CKernels
import Tensors

/// Every row's gradient, hessian and codes in one place, and what trees grown over them use in turn.
final class RowRecords: @unchecked Sendable {
  /// How gradients are written.
  enum Precision {
    /// Two floats, for gradients of any size.
    case floats
    /// Whole numbers of units, for gradients of at most 1 and hessians of at most 1/2: sums are exact in any order.
    case units
  }

  /// Units of gradients and hessians, powers of two.
  static let gradientUnit = 0x1p-18
  static let hessianUnit = 0x1p-20
  /// The most numbers that the histograms of a tree's level may hold.
  private static let mostCells = 1 << 22

  let rowCount: Int
  let precision: Precision
  /// Where each feature's cells begin in a histogram, and how many there are.
  let offsets: [UInt32]
  let cellCount: Int
  /// Every row's gradient and hessian, eight bytes, so far apart.
  private let terms: UnsafeMutablePointer<UInt8>
  private let termStride: Int
  /// Every row's codes, so far apart: behind its gradient, or in the file of a quantised table.
  private let codes: UnsafePointer<UInt8>
  private let codeStride: Int
  /// What keeps the codes in memory, where that is not this object.
  private let codeOwner: RowCodes?
  /// Row numbers, a leaf's side by side, and two halves on their way.
  let rows: UnsafeMutablePointer<Int32>
  let left: UnsafeMutablePointer<Int32>
  let right: UnsafeMutablePointer<Int32>
  /// Histograms that no node uses.
  private var spare: [UnsafeMutablePointer<Double>] = []

  /// Whether records serve: rows enough to pay for them, and histograms of all features small enough for the cache.
  static func serve(_ features: QuantisedFeatures, depth: Int) -> Bool {
    let cells = features.binCounts.reduce(0) { $0 + $1 + 1 }
    return features.rowCount >= 2000 && !features.binCounts.isEmpty && cells <= 1 << 16
      && cells << depth <= mostCells
  }

  init(_ features: QuantisedFeatures, _ precision: Precision) {
    self.precision = precision
    let count = features.binCounts.count
    rowCount = features.rowCount
    var offsets: [UInt32] = []
    var total = 0
    for bins in features.binCounts {
      offsets.append(UInt32(total))
      total += bins + 1
    }
    self.offsets = offsets
    cellCount = total
    codeOwner = features.rowCodes
    // Whole words; a power of two below a line of cache, so that no record straddles two lines.
    let needed = features.rowCodes == nil ? 8 + count : 8
    termStride = needed <= 64 ? [8, 16, 32, 64].first { $0 >= needed } ?? 64 : (needed + 7) / 8 * 8
    let bytes = rowCount * termStride
    terms = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    codes = features.rowCodes?.base ?? UnsafePointer(terms + 8)
    codeStride = features.rowCodes == nil ? termStride : count
    rows = .allocate(capacity: rowCount + 1)
    // A number more for every piece that rows are moved in: one or more a node, and no more than 4,096 nodes a level.
    let room = rowCount + rowCount / 16_384 + 4097
    left = .allocate(capacity: room)
    right = .allocate(capacity: room)
    // Codes that a file holds row by row stay there.
    guard features.rowCodes == nil else { return }
    let (base, stride) = (SendablePointer(terms), termStride)
    parallelRanges(rowCount, minimum: 4096) { range in
      for feature in 0..<count {
        let codes = features.codes.column(feature)
        for row in range { base.base[row * stride + 8 + feature] = codes[row] }
      }
    }
  }

  deinit {
    terms.deallocate()
    rows.deallocate()
    left.deallocate()
    right.deallocate()
    for histogram in spare { histogram.deallocate() }
  }

  /// Writes pairs (gradient, hessian) into the records, some thousand rows at a time.
  /// - Parameter pairs: writes those of some rows, the first row's first.
  func load(_ pairs: @Sendable (Range<Int>, UnsafeMutablePointer<Float>) -> Void) {
    let (terms, stride, precision) = (SendablePointer(terms), termStride, precision)
    parallelRanges(rowCount, minimum: 4096) { whole in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * 4096) { room in
        guard let own = room.baseAddress else { return }
        for start in Swift.stride(from: whole.lowerBound, to: whole.upperBound, by: 4096) {
          let range = start..<min(start + 4096, whole.upperBound)
          pairs(range, own)
          let first = terms.base + start * stride
          switch precision {
          case .floats:
            for row in 0..<range.count {
              UnsafeMutableRawPointer(first + row * stride)
                .storeBytes(of: SIMD2(own[2 * row], own[2 * row + 1]), as: SIMD2<Float>.self)
            }
          case .units:
            ck_load_units(
              own, range.count, Float(1 / Self.gradientUnit), Float(1 / Self.hessianUnit), stride, first)
          }
        }
      }
    }
  }

  /// Writes pairs (gradient, hessian) that are in memory already.
  func load(_ gradients: [Float]) {
    gradients.withUnsafeBufferPointer { gradients in
      guard let base = gradients.baseAddress else { return }
      let all = SendablePointer(reading: base)
      load { $1.update(from: all.base + 2 * $0.lowerBound, count: 2 * $0.count) }
    }
  }

  /// Adds some of `rows` to a histogram `[cells, 2]`; `areAll` where row i stands at place i.
  func add(_ range: Range<Int>, areAll: Bool, to histogram: UnsafeMutablePointer<Double>) {
    let chosen: UnsafePointer<Int32>? = areAll ? nil : UnsafePointer(rows + range.lowerBound)
    switch precision {
    case .floats:
      ck_record_histogram(
        terms, termStride, codes, codeStride, chosen, range.lowerBound, range.count, offsets, offsets.count,
        histogram)
    case .units:
      withUnsafeTemporaryAllocation(of: Int64.self, capacity: cellCount) { block in
        ck_fixed_record_histogram(
          terms, termStride, codes, codeStride, chosen, range.lowerBound, range.count, offsets, offsets.count,
          cellCount,
          Self.gradientUnit, Self.hessianUnit, block.baseAddress, histogram)
      }
    }
  }

  /// A histogram of zeros.
  func histogram() -> UnsafeMutablePointer<Double> {
    let histogram = spare.popLast() ?? .allocate(capacity: cellCount * 2)
    histogram.update(repeating: 0, count: cellCount * 2)
    return histogram
  }

  /// Takes a histogram back.
  func giveBack(_ histogram: UnsafeMutablePointer<Double>) { spare.append(histogram) }
}
