// The columns a surrogate may ask about, as small codes: splitting is then counting.

import Tables

/// Some features' cells as codes below 256, column by column.
///
/// A numeric cell's code is the number of cuts below it; a categorical cell's code is its category. Cuts lie between
/// observed values, and are short numbers.
struct BinnedColumns: Sendable {
  /// The code of a missing cell.
  static let missing: UInt8 = 255
  /// The code of a category that is too rare to have one of its own; always on the "no" side of a split.
  static let other: UInt8 = 254

  struct Column: Sendable {
    /// The feature's index in the table.
    var feature: Int
    /// Code `b` holds the values `cuts[b - 1] < x ≤ cuts[b]`; empty for categories.
    var cuts: [Float]
    /// The number of codes in use, missing and other not counted.
    var codeCount: Int
    var isCategorical: Bool
    var codes: [UInt8]
  }

  let rowCount: Int
  let columns: [Column]

  /// Codes for the given features of the given rows; a row's place in `rows` is its number here.
  init(_ features: Features, using chosen: [Int], rows: [Int]) {
    rowCount = rows.count
    columns = chosen.map { feature in
      let column = features.column(feature)
      let start = column.startIndex
      let values = rows.map { column[start + $0] }
      switch features.kinds[feature] {
      case .numeric: return Self.numeric(feature, values)
      case .categorical(let names): return Self.categorical(feature, values, categories: names.count)
      }
    }
  }

  private static func numeric(_ feature: Int, _ values: [Float]) -> Column {
    let cuts = Self.cuts(values)
    let codes = values.map { value in
      value.isNaN ? missing : UInt8(lowerBound(cuts, value))
    }
    return Column(
      feature: feature, cuts: cuts, codeCount: cuts.count + 1, isCategorical: false, codes: codes)
  }

  private static func categorical(_ feature: Int, _ values: [Float], categories: Int) -> Column {
    let codes = values.map { value -> UInt8 in
      if value.isNaN { return missing }
      return value < Float(other) ? UInt8(value) : other
    }
    return Column(
      feature: feature, cuts: [], codeCount: min(categories, Int(other)), isCategorical: true, codes: codes)
  }

  /// At most 253 cuts between neighbouring distinct values, at equal counts where there are more values than that.
  private static func cuts(_ values: [Float]) -> [Float] {
    let sorted = values.filter { !$0.isNaN }.sorted()
    var distinct: [(value: Float, last: Int)] = []
    for (place, value) in sorted.enumerated() {
      if distinct.last?.value == value {
        distinct[distinct.count - 1].last = place
      } else {
        distinct.append((value, place))
      }
    }
    let limit = 253
    var cuts: [Float] = []
    var nextPlace = 0.0
    let step = distinct.count > limit + 1 ? Double(sorted.count) / Double(limit + 1) : 0
    for index in distinct.indices.dropLast() {
      if step > 0 {
        guard Double(distinct[index].last + 1) >= nextPlace + step, cuts.count < limit else { continue }
        nextPlace = Double(distinct[index].last + 1)
      }
      cuts.append(shortestNumber(from: distinct[index].value, below: distinct[index + 1].value))
    }
    return cuts
  }

  /// The number of cuts below `value`.
  private static func lowerBound(_ cuts: [Float], _ value: Float) -> Int {
    var (low, high) = (0, cuts.count)
    while low < high {
      let middle = (low + high) / 2
      if cuts[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
