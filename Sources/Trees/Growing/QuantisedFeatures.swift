// Features as one byte a cell: histograms over codes replace sorting in every node.

import CKernels
import Tables
import Tensors

/// Features quantised to at most 255 bins each, column-major, one byte a cell.
///
/// A numeric feature's bins hold about equally many rows; where it has few different values, each has a bin of its
/// own. A categorical feature's bins are its categories; rare ones, and past 254 of them the rarest, share the last bin,
/// see `RareCategories`. Missing cells have the code `binCounts[feature]`.
struct QuantisedFeatures: Sendable {
  let rowCount: Int
  /// Column-major `[features, rows]`.
  let codes: [UInt8]
  /// The number of bins of each feature, without the missing one.
  let binCounts: [Int]
  /// Where each numeric feature's cuts begin in `cuts`; code `b` means `x ≤ cuts[start + b]`, the last bin has no cut.
  let cutStarts: [Int]
  let cuts: [Float]
  /// The categories of each bin, for categorical features.
  let categories: [Int: [[Int]]]
  /// The bin that rare categories share, for features that have some.
  let rareBins: [Int: Int]
  let kinds: [FeatureKind]

  /// Quantises every feature. `maximumBins` lies in 2...255.
  init(_ features: Features, maximumBins: Int, minimumCategoryRows: Int? = nil) {
    precondition((2...255).contains(maximumBins), "\(maximumBins) bins")
    let (rows, count) = (features.rowCount, features.count)
    var columnCuts = [[Float]](repeating: [], count: count)
    var categories: [Int: [[Int]]] = [:]
    var rareBins: [Int: Int] = [:]
    for (feature, kind) in features.kinds.enumerated() {
      if case .categorical(let names) = kind {
        let (bins, rare) = Self.categoryBins(
          features.column(feature), count: names.count, minimum: minimumCategoryRows)
        categories[feature] = bins
        rareBins[feature] = rare
      }
    }
    let kinds = features.kinds
    let bins = categories
    let codes = [UInt8](unsafeUninitializedCapacity: rows * count) { codes, initialized in
      initialized = rows * count
      guard rows > 0, count > 0, let target = codes.baseAddress else { return }
      let codes = SendablePointer(target)
      columnCuts.withUnsafeMutableBufferPointer { cuts in
        features.withCells { cells in
          guard let cuts = cuts.baseAddress else { return }
          let allCuts = SendablePointer(cuts)
          parallelRanges(count) { range in
            let sorted = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows)
            let column = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows)
            defer {
              sorted.deallocate()
              column.deallocate()
            }
            for feature in range {
              column.baseAddress.map { cells.copy(feature, rowCount: rows, to: $0) }
              let target = codes.base + feature * rows
              if let bins = bins[feature] {
                var binOf: [Int: UInt8] = [:]
                for (bin, members) in bins.enumerated() {
                  for member in members { binOf[member] = UInt8(bin) }
                }
                for row in 0..<rows {
                  target[row] =
                    column[row].isNaN ? UInt8(bins.count) : binOf[Int(column[row])] ?? UInt8(bins.count)
                }
              } else {
                let own = Self.cuts(UnsafeBufferPointer(column), sorted, maximumBins: maximumBins)
                Self.encode(UnsafeBufferPointer(column), own, target)
                allCuts.base[feature] = own
              }
            }
          }
        }
      }
    }
    self.codes = codes
    self.kinds = kinds
    self.categories = categories
    self.rareBins = rareBins
    rowCount = rows
    binCounts = (0..<count).map { categories[$0]?.count ?? columnCuts[$0].count + 1 }
    var starts: [Int] = []
    var total = 0
    for own in columnCuts {
      starts.append(total)
      total += own.count
    }
    cutStarts = starts
    cuts = Array(columnCuts.joined())
  }

  /// Cuts halfway between neighbouring values, at about equal numbers of rows.
  private static func cuts(
    _ column: UnsafeBufferPointer<Float>, _ scratch: UnsafeMutableBufferPointer<Float>, maximumBins: Int
  ) -> [Float] {
    var known = 0
    for value in column where !value.isNaN {
      scratch[known] = value
      known += 1
    }
    guard known > 1 else { return [] }
    let sorted = UnsafeMutableBufferPointer(rebasing: scratch[0..<known])
    sortFloats(sorted)
    var distinct = 1
    for index in 1..<known where sorted[index] != sorted[index - 1] { distinct += 1 }
    var cuts: [Float] = []
    cuts.reserveCapacity(min(distinct, maximumBins))
    if distinct <= maximumBins {
      for index in 1..<known where sorted[index] != sorted[index - 1] {
        cuts.append(midpoint(sorted[index - 1], sorted[index]))
      }
      return cuts
    }
    // A bin closes when it holds its share of the rows that are left for the bins that are left.
    var (held, taken) = (0, 0)
    for index in 1..<known {
      held += 1
      let binsLeft = maximumBins - cuts.count
      guard sorted[index] != sorted[index - 1], binsLeft > 1 else { continue }
      if held * binsLeft >= known - taken {
        cuts.append(midpoint(sorted[index - 1], sorted[index]))
        taken += held
        held = 0
      }
    }
    return cuts
  }

  /// Each value's bin: the number of cuts below it.
  private static func encode(
    _ column: UnsafeBufferPointer<Float>, _ cuts: [Float], _ target: UnsafeMutablePointer<UInt8>
  ) {
    guard let values = column.baseAddress else { return }
    let padded = cuts + [Float](repeating: .infinity, count: 255 - cuts.count)
    ck_encode(values, column.count, padded, UInt8(cuts.count + 1), target)
  }

  /// One bin a category, the most frequent first to have its own; the bin of the others, if any.
  private static func categoryBins(
    _ column: [Float], count: Int, minimum: Int?
  ) -> (bins: [[Int]], rare: Int?) {
    let frequency = RareCategories.frequencies(column, count: count)
    let least = minimum ?? RareCategories.least(rows: column.count)
    let order = (0..<count).sorted { (frequency[$1], $0) < (frequency[$0], $1) }
    let own = order.prefix(253).filter { frequency[$0] >= least }
    let others = Set(order).subtracting(own)
    guard others.contains(where: { frequency[$0] > 0 }) else {
      return ((0..<max(1, count)).map { [$0] }.prefix(254).map { $0 }, nil)
    }
    return (own.sorted().map { [$0] } + [others.sorted()], own.count)
  }
}

/// Categories that too few rows have to say anything of their own.
///
/// A tree that asks about them one by one fits noise, and a category that it has not seen is on the "no" side of every
/// set: an error of one sign. Rare categories are therefore never in a set, and what they say together is what is said of
/// one that was not seen.
enum RareCategories {
  /// How many rows a category needs: four, fewer in tables of less than eighty rows.
  static func least(rows: Int) -> Int { min(4, rows / 20) }

  /// How many rows have each category.
  static func frequencies(_ column: [Float], count: Int) -> [Int] {
    var frequency = [Int](repeating: 0, count: count)
    for value in column where !value.isNaN && Int(value) < count { frequency[Int(value)] += 1 }
    return frequency
  }

  /// The rare categories of each categorical feature.
  static func find(_ features: Features, minimum: Int? = nil) -> [Int: Set<Int>] {
    var rare: [Int: Set<Int>] = [:]
    let least = minimum ?? least(rows: features.rowCount)
    for (feature, kind) in features.kinds.enumerated() {
      guard case .categorical(let names) = kind else { continue }
      let frequency = frequencies(features.column(feature), count: names.count)
      let few = frequency.indices.filter { frequency[$0] < least }
      if !few.isEmpty { rare[feature] = Set(few) }
    }
    return rare
  }
}

/// A float between two floats, `low` included: what lies at or below it goes left.
func midpoint(_ low: Float, _ high: Float) -> Float {
  let middle = Float((Double(low) + Double(high)) / 2)
  return middle < high ? max(middle, low) : low
}
