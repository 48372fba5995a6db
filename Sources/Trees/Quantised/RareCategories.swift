// Categories that a split may not name.

import Tables

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
