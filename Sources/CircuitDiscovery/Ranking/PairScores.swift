// Pairs of heads by the pairs of codes they show together on positives and never on negatives.
//
// The authors fill a dense array [heads, heads, features, features] for each label. Here a head's codes are numbered by
// first appearance, and one pair of heads at a time is counted in a table of those numbers.

import Tensors

/// Scores of all unordered pairs of heads.
public struct PairScores: Sendable, Equatable {
  /// The number of heads.
  public let heads: Int
  /// For heads i < j, in order of i then j: pairs of codes shown together on positives and never on negatives.
  public let unique: [Int]
  /// For heads i < j: distinct pairs of codes on positives, plus distinct pairs on negatives.
  public let shown: [Int]

  /// Counts every pair of heads.
  ///
  /// An example where one of the two heads shows no code (−1) shows no pair.
  /// - Complexity: O(heads² · examples) time, a few hundred kilobytes.
  public init(_ codes: HeadCodes, labels: [Bool]) {
    precondition(labels.count == codes.examples, "\(labels.count) labels of \(codes.examples) examples")
    let heads = codes.heads
    self.heads = heads
    // Negatives first: then one walk over the examples knows of each positive pair whether a negative shows it.
    let order = labels.indices.filter { !labels[$0] } + labels.indices.filter { labels[$0] }
    let negatives = labels.count { !$0 }
    let columns = (0..<heads).map { NumberedCodes(codes, head: $0, order: order) }
    let rows = parallelMap(heads) { first in
      var counter = PairCounter(tableSize: columns[first].distinct * (columns.map(\.distinct).max() ?? 0))
      return (first + 1..<heads).map { second in
        counter.count(columns[first], columns[second], negatives: negatives)
      }
    }
    unique = rows.flatMap { $0.map(\.unique) }
    shown = rows.flatMap { $0.map(\.shown) }
  }

  /// The place of a pair of different heads in `unique` and `shown`.
  public func place(_ one: Int, _ other: Int) -> Int {
    precondition(one != other && one >= 0 && other >= 0 && max(one, other) < heads, "pair \(one), \(other)")
    let (first, second) = (min(one, other), max(one, other))
    return first * heads - first * (first + 1) / 2 + second - first - 1
  }

  /// The scores of all pairs, in the order of `unique`.
  public func all(normalised: Bool) -> [Double] {
    guard normalised else { return unique.map { Double($0) } }
    return zip(unique, shown).map { unique, shown in shown == 0 ? 0 : Double(unique) / Double(shown) }
  }

  /// The score of a pair of different heads. `normalised` divides by the distinct pairs of codes of both labels, those
  /// shown under both counted twice, as the authors' code does.
  public func score(_ one: Int, _ other: Int, normalised: Bool = false) -> Double {
    let place = place(one, other)
    guard normalised else { return Double(unique[place]) }
    return shown[place] == 0 ? 0 : Double(unique[place]) / Double(shown[place])
  }
}

/// One head's codes over the examples, numbered from 0 in order of appearance.
private struct NumberedCodes: Sendable {
  var numbers: [Int32]
  var distinct: Int

  init(_ codes: HeadCodes, head: Int, order: [Int]) {
    var numberOf: [Int32: Int32] = [:]
    numbers = order.map { example in
      let code = codes[example, head]
      guard code >= 0 else { return -1 }
      if let number = numberOf[code] { return number }
      let number = Int32(numberOf.count)
      numberOf[code] = number
      return number
    }
    distinct = numberOf.count
  }
}

/// Counts one pair of heads after another in one table, which is never cleared: marks of earlier pairs are too low.
private struct PairCounter {
  private var table: [Int32]
  private var mark: Int32 = 0

  init(tableSize: Int) {
    table = [Int32](repeating: 0, count: tableSize)
  }

  mutating func count(
    _ first: NumberedCodes, _ second: NumberedCodes, negatives: Int
  ) -> (unique: Int, shown: Int) {
    // A cell holds `mark + 1` where this pair's negatives show it, `mark + 2` where only positives do, and `mark + 3`
    // where both do and it has been counted for both.
    let (byNegative, byPositive, byBoth) = (mark + 1, mark + 2, mark + 3)
    mark += 3
    var unique = 0
    var shown = 0
    let width = Int32(second.distinct)
    for index in first.numbers.indices {
      let (a, b) = (first.numbers[index], second.numbers[index])
      guard a >= 0, b >= 0 else { continue }
      let cell = Int(a * width + b)
      let found = table[cell]
      if index < negatives {
        if found != byNegative {
          table[cell] = byNegative
          shown += 1
        }
      } else if found < byNegative {
        table[cell] = byPositive
        unique += 1
        shown += 1
      } else if found == byNegative {
        table[cell] = byBoth
        shown += 1
      }
    }
    return (unique, shown)
  }
}
