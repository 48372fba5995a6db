// The shortest rule that is enough for a black box to say what it says of a row.

import Tables

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A rule that anchors a row's outcome, and its exact quality on the reference rows.
public struct Anchor: Sendable, Equatable {
  /// The rule's conditions; the explained row meets them all.
  public var box: Box
  /// The outcome that the rule is for.
  public var outcome: Int
  /// The quality on the reference rows.
  public var quality: RuleQuality
  /// Whether the precision that was asked for was reached.
  public var isSufficient: Bool
}

/// How an anchor is searched for.
public struct AnchorLimits: Sendable, Equatable {
  /// The precision that is enough.
  public var precision: Double
  /// The most conditions.
  public var conditions: Int
  /// How many rules are kept after each round.
  public var beam: Int
  /// The fewest reference rows that a rule must cover.
  public var coveredRows: Int

  /// Limits of a search.
  public init(precision: Double = 0.95, conditions: Int = 5, beam: Int = 6, coveredRows: Int = 5) {
    self.precision = precision
    self.conditions = conditions
    self.beam = beam
    self.coveredRows = coveredRows
  }
}

extension AnchorIndex {
  /// What a rule's coverage is multiplied by for each further condition when rules are compared.
  private static let worthOfBrevity = 0.75
  /// How far the lower bound of a sufficient rule's precision may lie below the precision that was asked for.
  private static let doubt = 0.06

  private struct Candidate {
    var literals: [Int]
    var rows: RowSet
    var covered: Int
    var agreeing: Int
    var score: Double
  }

  /// Among the rules that reach the precision the one that covers most rows, shorter rules preferred.
  ///
  /// A beam search; where nothing reaches the precision, the rule with the best lower bound is returned.
  /// - Parameters:
  ///   - value: the row's cell of a feature.
  ///   - outcome: what the black box says of the row.
  public func anchor(
    outcome: Int, limits: AnchorLimits = AnchorLimits(), _ value: (Int) -> Float
  ) -> Anchor {
    let literals = self.literals(value)
    let target = rows(of: outcome)
    let everything = RowSet(rowCount: rowCount, full: true)
    var beam = [
      Candidate(
        literals: [], rows: everything, covered: rowCount, agreeing: target.count,
        score: precisionFloor(target.count, rowCount))
    ]
    var best = beam[0]
    func isSufficient(_ candidate: Candidate) -> Bool {
      Double(candidate.agreeing) >= limits.precision * Double(candidate.covered) && candidate.covered > 0
    }
    // The empty rule is an anchor where the black box says the same of nearly everything.
    if isSufficient(best) { return made(best, literals, outcome, true) }
    let least = min(limits.coveredRows, max(1, target.count / 4))
    var chosen: (candidate: Candidate, worth: Double)?
    for round in 0..<limits.conditions {
      // A further condition must pay for itself in coverage, so that rules stay short.
      let worth = pow(Self.worthOfBrevity, Double(round))
      // Rules cover less with every condition: none of this round or later can be worth more than one that is found.
      if let chosen, beam.allSatisfy({ Double($0.covered) * worth <= chosen.worth }) { break }
      var seen: Set<[Int]> = []
      var next: [(parent: Int, literal: Int, covered: Int, agreeing: Int, score: Double)] = []
      for (parent, candidate) in beam.enumerated() {
        let agreeingRows = candidate.rows.intersection(target)
        for literal in literals.indices where !candidate.literals.contains(literal) {
          let covered = candidate.rows.sharedCount(literals[literal].rows)
          guard covered >= least, covered < candidate.covered,
            round == 0 || seen.insert((candidate.literals + [literal]).sorted()).inserted
          else { continue }
          let agreeing = agreeingRows.sharedCount(literals[literal].rows)
          next.append((parent, literal, covered, agreeing, precisionFloor(agreeing, covered)))
        }
      }
      guard !next.isEmpty else { break }
      func grown(_ step: (parent: Int, literal: Int, covered: Int, agreeing: Int, score: Double)) -> Candidate
      {
        let parent = beam[step.parent]
        return Candidate(
          literals: parent.literals + [step.literal],
          rows: parent.rows.intersection(literals[step.literal].rows), covered: step.covered,
          agreeing: step.agreeing, score: step.score)
      }
      let sufficient = next.filter {
        Double($0.agreeing) >= limits.precision * Double($0.covered)
          && $0.score >= limits.precision - Self.doubt
      }
      if let widest = sufficient.max(by: { ($0.covered, $0.score) < ($1.covered, $1.score) }),
        Double(widest.covered) * worth > (chosen?.worth ?? 0)
      {
        chosen = (grown(widest), Double(widest.covered) * worth)
      }
      next.sort { ($0.score, $0.covered, -$0.literal) > ($1.score, $1.covered, -$1.literal) }
      beam = next.prefix(limits.beam).map(grown)
      if let first = beam.first, first.score > best.score { best = first }
    }
    if let chosen { return made(chosen.candidate, literals, outcome, true) }
    return made(best, literals, outcome, isSufficient(best))
  }

  private func made(
    _ candidate: Candidate, _ literals: [(condition: Condition, rows: RowSet)], _ outcome: Int,
    _ isSufficient: Bool
  ) -> Anchor {
    Anchor(
      box: Box(candidate.literals.map { literals[$0].condition }), outcome: outcome,
      quality: RuleQuality(covered: candidate.rows, outcome: rows(of: outcome)), isSufficient: isSufficient)
  }
}

/// Wilson's 90 % lower bound on a proportion: close to Clopper–Pearson's, and cheap enough for every candidate.
func precisionFloor(_ agreeing: Int, _ covered: Int) -> Double {
  guard covered > 0 else { return 0 }
  let (n, z) = (Double(covered), 1.2816)
  let share = Double(agreeing) / n
  let center = share + z * z / (2 * n)
  let width = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
  return (center - width) / (1 + z * z / n)
}
