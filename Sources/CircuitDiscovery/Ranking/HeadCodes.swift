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
///
/// - Parameters:
///   - labels: whether each example is positive.
///   - examples: the examples to count, by index; all of them where nil.
public func codeCounts(_ codes: HeadCodes, labels: [Bool], examples: [Int]? = nil) -> [CodeCounts] {
  precondition(labels.count == codes.examples, "\(labels.count) labels of \(codes.examples) examples")
  let chosen = examples ?? Array(labels.indices)
  let heads = codes.heads
  // For each head and code: 1 where a positive shows it, 2 where a negative does, 3 where both do.
  let width = Int(codes.values.max() ?? -1) + 1
  var shown = [UInt8](repeating: 0, count: heads * width)
  for example in chosen {
    let side: UInt8 = labels[example] ? 1 : 2
    for head in 0..<heads {
      let code = Int(codes[example, head])
      if code >= 0 { shown[head * width + code] |= side }
    }
  }
  return (0..<heads).map { head in
    var totals = [0, 0, 0, 0]
    for place in head * width..<(head + 1) * width { totals[Int(shown[place])] += 1 }
    return CodeCounts(
      uniqueToPositive: totals[1], uniqueToNegative: totals[2], distinct: totals[1] + totals[2] + totals[3])
  }
}
