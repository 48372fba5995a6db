// What kind of attention each head pays: previous token, duplicate token, induction, first token, and how spread it is.

import Tensors
import Transformers

/// Shares of attention of one head, averaged over prompts and the positions where the kind is possible.
public struct AttentionKinds: Sendable {
  /// On the token before (Elhage et al. 2021).
  public var previousToken: Double
  /// On earlier copies of the same token (Wang et al. 2022), at positions that have one.
  public var duplicateToken: Double
  /// On tokens that follow earlier copies of the same token (Olsson et al. 2022), at positions that have one.
  public var induction: Double
  /// On the first token.
  public var firstToken: Double
  /// On itself.
  public var currentToken: Double
  /// Entropy as a share of that of even attention over all visible positions; 0 is one position.
  public var entropy: Double

  /// The role that stands out: a share of at least one half, the largest first; nil where none does.
  public var role: String? {
    let shares = [
      ("induction", induction), ("duplicate token", duplicateToken), ("previous token", previousToken),
      ("first token", firstToken), ("current token", currentToken),
    ].filter { !$0.1.isNaN }
    guard let best = shares.max(by: { $0.1 < $1.1 }), best.1 >= 0.5 else { return nil }
    return best.0
  }

  /// The kinds of every head, `[layer][head]`, over some prompts.
  /// - Throws: `TransformerError` for prompts that the model cannot read.
  public static func measure(
    _ model: Transformer, _ prompts: [[Int]], tokenLimit: Int = 1024,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [[AttentionKinds]] {
    let (layers, heads) = (model.configuration.layers, model.configuration.heads)
    var sums = [[Sums]](repeating: [Sums](repeating: Sums(), count: heads), count: layers)
    let groups = TokenBatch.groups(of: prompts, tokenLimit: tokenLimit)
    for (done, group) in groups.enumerated() {
      let targets = group.indices.map { Targets(prompts[$0]) }
      try model.run(group.batch, observing: Set((0..<layers).map { .pattern(layer: $0) })) { point, pattern in
        let layer = point.layer ?? 0
        let width = group.batch.width
        let rule = model.configuration.attention[layer].rule
        pattern.withValues { values in
          for (prompt, target) in targets.enumerated() {
            for head in 0..<heads {
              let start = (prompt * heads + head) * width * width
              sums[layer][head].add(target, rule) { values[start + $0 * width + $1] }
            }
          }
        }
      }
      progress(done + 1, groups.count)
    }
    return sums.map { $0.map(\.kinds) }
  }

  /// Where each position of a prompt has its copies.
  private struct Targets {
    let length: Int
    /// Earlier positions of the same token.
    let duplicates: [[Int]]
    /// Positions behind those.
    let successors: [[Int]]

    init(_ tokens: [Int]) {
      length = tokens.count
      duplicates = tokens.indices.map { place in (0..<place).filter { tokens[$0] == tokens[place] } }
      successors = duplicates.enumerated().map { place, copies in copies.map { $0 + 1 }.filter { $0 <= place }
      }
    }
  }

  private struct Sums {
    var values = [Double](repeating: 0, count: 6)
    var counts = [Double](repeating: 0, count: 6)

    mutating func add(_ targets: Targets, _ rule: AttentionRule, _ weight: (Int, Int) -> Float) {
      for query in 0..<targets.length {
        note(3, Double(weight(query, 0)), query > 0)
        note(0, query > 0 ? Double(weight(query, query - 1)) : 0, query > 0)
        note(
          1, targets.duplicates[query].reduce(0) { $0 + Double(weight(query, $1)) },
          !targets.duplicates[query].isEmpty)
        note(
          2, targets.successors[query].reduce(0) { $0 + Double(weight(query, $1)) },
          !targets.successors[query].isEmpty)
        note(4, Double(weight(query, query)), query > 0)
        var entropy = 0.0
        for key in 0..<targets.length {
          let share = Double(weight(query, key))
          if share > 0 { entropy -= share * logarithm(share) }
        }
        let visible = rule.visible(from: query, length: targets.length).count
        note(5, visible > 1 ? entropy / logarithm(Double(visible)) : 0, visible > 1)
      }
    }

    private mutating func note(_ kind: Int, _ value: Double, _ counts: Bool) {
      guard counts else { return }
      values[kind] += value
      self.counts[kind] += 1
    }

    var kinds: AttentionKinds {
      func mean(_ kind: Int) -> Double { counts[kind] > 0 ? values[kind] / counts[kind] : .nan }
      return AttentionKinds(
        previousToken: mean(0), duplicateToken: mean(1), induction: mean(2), firstToken: mean(3),
        currentToken: mean(4), entropy: mean(5))
    }
  }
}
