// The bins of features: where numbers are cut, and which categories stand together.

import CKernels
import Tables
import Tensors

/// The bins of features, at most 255 each, and the codes that cells have in them.
///
/// A numeric feature's bins hold about equally many rows; where it has few different values, each has a bin of its
/// own. A categorical feature's bins are its categories; rare ones, and past 254 of them the rarest, share the last bin,
/// see `RareCategories`. Missing cells have the code `binCounts[feature]`.
struct FeatureBins: Sendable, Equatable {
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

  init(kinds: [FeatureKind], columnCuts: [[Float]], categories: [Int: [[Int]]], rareBins: [Int: Int]) {
    self.kinds = kinds
    self.categories = categories
    self.rareBins = rareBins
    binCounts = kinds.indices.map { categories[$0]?.count ?? columnCuts[$0].count + 1 }
    var starts: [Int] = []
    var total = 0
    for own in columnCuts {
      starts.append(total)
      total += own.count
    }
    cutStarts = starts
    cuts = Array(columnCuts.joined())
  }

  /// The bins that features' cells suggest. `maximumBins` lies in 2...255.
  ///
  /// - Parameter others: whether each categorical feature has a bin for categories that are not among these cells.
  init(_ features: Features, maximumBins: Int, minimumCategoryRows: Int? = nil, others: Bool) {
    precondition((2...255).contains(maximumBins), "\(maximumBins) bins")
    let (rows, count) = (features.rowCount, features.count)
    var categories: [Int: [[Int]]] = [:]
    var rareBins: [Int: Int] = [:]
    for (feature, kind) in features.kinds.enumerated() {
      guard case .categorical(let names) = kind else { continue }
      var (bins, rare) = Self.categoryBins(
        features.column(feature), count: names.count, minimum: minimumCategoryRows)
      if others, rare == nil {
        rare = bins.count
        bins.append([])
      }
      categories[feature] = bins
      rareBins[feature] = rare
    }
    let numeric = features.kinds.map { $0 == .numeric }
    let cuts = features.withCells { cells in
      parallelMap(count) { feature -> [Float] in
        guard numeric[feature], rows > 0 else { return [] }
        let column = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows)
        let sorted = UnsafeMutableBufferPointer<Float>.allocate(capacity: rows)
        defer {
          column.deallocate()
          sorted.deallocate()
        }
        column.baseAddress.map { cells.copy(feature, rowCount: rows, to: $0) }
        return Self.cuts(UnsafeBufferPointer(column), sorted, maximumBins: maximumBins)
      }
    }
    self.init(kinds: features.kinds, columnCuts: cuts, categories: categories, rareBins: rareBins)
  }

  /// Writes the codes of a feature's cells.
  func encode(_ feature: Int, _ cells: UnsafeBufferPointer<Float>, to target: UnsafeMutablePointer<UInt8>) {
    guard let values = cells.baseAddress else { return }
    guard let bins = categories[feature] else {
      let start = cutStarts[feature]
      let own = cuts[start..<start + binCounts[feature] - 1]
      let padded = own + [Float](repeating: .infinity, count: 255 - own.count)
      ck_encode(values, cells.count, Array(padded), UInt8(own.count + 1), target)
      return
    }
    let missing = UInt8(bins.count)
    let unknown = rareBins[feature].map { UInt8($0) } ?? missing
    var codes = [UInt8](repeating: unknown, count: (bins.joined().max() ?? 0) + 1)
    for (bin, members) in bins.enumerated() {
      for member in members { codes[member] = UInt8(bin) }
    }
    for row in 0..<cells.count {
      let cell = values[row]
      target[row] = cell.isNaN ? missing : Int(cell) < codes.count ? codes[Int(cell)] : unknown
    }
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

/// A float between two floats, `low` included: what lies at or below it goes left.
func midpoint(_ low: Float, _ high: Float) -> Float {
  let middle = Float((Double(low) + Double(high)) / 2)
  return middle < high ? max(middle, low) : low
}
