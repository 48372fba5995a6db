// Which examples train and which are held out: pairs stay together.

import Tensors

/// A division of examples into two parts.
public struct ProbeSplit: Sendable, Equatable {
  /// Examples that are trained on.
  public var training: [Int]
  /// Examples that are measured on.
  public var held: [Int]

  /// Holds out a share of groups, at random; examples of one group, such as a prompt and its negative, stay on one side.
  /// - Parameter groups: each example's group.
  public init(groups: [Int], heldShare: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed, stream: "probe split")
    var names: [Int] = []
    var seen: Set<Int> = []
    for group in groups where seen.insert(group).inserted { names.append(group) }
    let order = generator.permutation(of: names.count)
    let heldCount = min(names.count - 1, max(1, Int((heldShare * Double(names.count)).rounded())))
    let held = Set(order.prefix(max(0, heldCount)).map { names[$0] })
    training = groups.indices.filter { !held.contains(groups[$0]) }
    self.held = groups.indices.filter { held.contains(groups[$0]) }
  }
}
