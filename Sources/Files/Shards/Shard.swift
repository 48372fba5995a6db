// One of several parts that work is cut into, each done by a process of its own.

/// Part `index` of `count`, counted from 1.
///
/// Parts are contiguous and differ in size by one unit at most; which units a part has depends on the two numbers and on
/// how many units there are, on nothing else.
public struct Shard: Hashable, Sendable {
  /// Which part, from 1.
  public let index: Int
  /// How many parts there are.
  public let count: Int
  /// The most parts that work is cut into.
  public static let mostParts = 1_000_000

  /// Part `index` of `count`; nil where there is no such part.
  public init?(_ index: Int, of count: Int) {
    guard count >= 1, count <= Self.mostParts, index >= 1, index <= count else { return nil }
    (self.index, self.count) = (index, count)
  }

  /// Reads `2/7`.
  public init?(text: String) {
    let sides = text.split(separator: "/", omittingEmptySubsequences: false)
    func number(_ digits: Substring) -> Int? {
      digits.allSatisfy { ("0"..."9").contains($0) } ? Int(digits) : nil
    }
    guard sides.count == 2, let index = number(sides[0]), let count = number(sides[1]) else { return nil }
    self.init(index, of: count)
  }

  /// The units of this part.
  /// - Throws: `ShardError.tooManyParts` where there are fewer units than parts.
  public func range(of total: Int, _ unit: String) throws(ShardError) -> Range<Int> {
    guard count <= total else { throw .tooManyParts(shard: self, total: total, unit: unit) }
    return place(index - 1, total)..<place(index, total)
  }

  /// Where part `part` (from 0) begins.
  private func place(_ part: Int, _ total: Int) -> Int {
    // The shares are whole parts and what is left over, so that no product can overflow.
    total / count * part + total % count * part / count
  }
}

extension Shard: CustomStringConvertible {
  /// `2/7`.
  public var description: String { "\(index)/\(count)" }
}
