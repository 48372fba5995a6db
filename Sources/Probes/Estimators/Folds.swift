// Which examples train and which are held out: what belongs together stays together.

import Tensors

/// Parts of nearly one size that examples are dealt out to, group by group and evenly over classes.
public struct Folds: Sendable, Equatable {
  /// The part of each example.
  public let parts: [Int]

  /// Parts that are known.
  init(parts: [Int]) { self.parts = parts }

  /// Deals groups out at random.
  /// - Parameters:
  ///   - groups: each example's group, such as its pair; examples of one group get one part.
  ///   - labels: each example's class; a group counts by its first example's.
  ///   - count: the number of parts.
  public init(groups: [Int], labels: [Int], count: Int, seed: UInt64) {
    precondition(groups.count == labels.count && count > 0)
    var generator = SeededGenerator(seed: seed, stream: "folds")
    var first: [Int: Int] = [:]
    var names: [Int] = []
    for (example, group) in groups.enumerated() where first[group] == nil {
      first[group] = labels[example]
      names.append(group)
    }
    let shuffled = generator.permutation(of: names.count).map { names[$0] }
    var part: [Int: Int] = [:]
    var next = 0
    for (_, members) in Dictionary(grouping: shuffled, by: { first[$0] ?? 0 }).sorted(by: { $0.key < $1.key })
    {
      for group in members {
        part[group] = next % count
        next += 1
      }
    }
    parts = groups.map { part[$0] ?? 0 }
  }

  /// The examples of some parts, and all others, in order.
  public func split(holdingOut held: Set<Int>) -> (training: [Int], held: [Int]) {
    (parts.indices.filter { !held.contains(parts[$0]) }, parts.indices.filter { held.contains(parts[$0]) })
  }
}
