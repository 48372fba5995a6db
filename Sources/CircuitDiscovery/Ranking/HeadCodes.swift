// One code for each example and head, and what heads show on positives and never on negatives.

/// The codes that heads show over a set of examples.
public struct HeadCodes: Sendable, Equatable {
  /// The number of examples.
  public let examples: Int
  /// The number of heads, over all layers.
  public let heads: Int
  /// `[examples, heads]` in row-major order; −1 where a head shows no code.
  public let values: [Int32]

  /// Codes `[examples, heads]` in row-major order.
  public init(_ values: [Int32], heads: Int) {
    precondition(heads > 0 && values.count % heads == 0, "\(values.count) codes of \(heads) heads")
    self.values = values
    self.heads = heads
    examples = values.count / heads
  }

  /// The code of one example and head.
  public subscript(example: Int, head: Int) -> Int32 { values[example * heads + head] }

  /// The codes of some examples, in that order.
  public func selecting(_ chosen: [Int]) -> HeadCodes {
    HeadCodes(chosen.flatMap { values[$0 * heads..<($0 + 1) * heads] }, heads: heads)
  }
}

/// How many codes a head shows, and on which side.
public struct CodeCounts: Hashable, Codable, Sendable {
  /// Distinct codes on positives that no negative shows.
  public var uniqueToPositive: Int
  /// Distinct codes on negatives that no positive shows.
  public var uniqueToNegative: Int
  /// Distinct codes on either side.
  public var distinct: Int

  /// Counts that exist already.
  public init(uniqueToPositive: Int, uniqueToNegative: Int, distinct: Int) {
    self.uniqueToPositive = uniqueToPositive
    self.uniqueToNegative = uniqueToNegative
    self.distinct = distinct
  }

  /// The node score of O'Neill & Bui 2024, section 3: codes unique to positives, as a share of all distinct codes where
  /// normalised. A head without codes scores 0.
  public func score(normalised: Bool) -> Double {
    guard normalised else { return Double(uniqueToPositive) }
    return distinct == 0 ? 0 : Double(uniqueToPositive) / Double(distinct)
  }
}

/// The counts of every head.
/// - Parameter labels: whether each example is positive.
public func codeCounts(_ codes: HeadCodes, labels: [Bool]) -> [CodeCounts] {
  precondition(labels.count == codes.examples, "\(labels.count) labels of \(codes.examples) examples")
  return (0..<codes.heads).map { head in
    var positive: Set<Int32> = []
    var negative: Set<Int32> = []
    for example in 0..<codes.examples where codes[example, head] >= 0 {
      if labels[example] {
        positive.insert(codes[example, head])
      } else {
        negative.insert(codes[example, head])
      }
    }
    let unique = positive.subtracting(negative).count
    return CodeCounts(
      uniqueToPositive: unique, uniqueToNegative: negative.subtracting(positive).count,
      distinct: negative.count + unique)
  }
}
