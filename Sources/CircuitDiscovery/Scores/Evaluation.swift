// Rankings against a ground truth: every measure by its exact name, with its spread over rankings or over prompts.

import CausalMethods

/// How one or several rankings of the same model's heads, or edges, agree with a ground truth.
public struct Evaluation: Equatable, Sendable {
  /// One measure: its value in each ranking, and what they say together.
  public struct Measure: Equatable, Sendable {
    /// The exact name: `trapezoid_auc`, `pessimistic_auc`, `average_precision`, `precision_at_k`, …
    public var name: String
    /// The value in each ranking.
    public var values: [Double]
    /// A 95 % bootstrap interval: of the mean over several rankings; of a single ranking's value where its prompts
    /// were drawn again, else nil.
    public var interval: ClosedRange<Double>?

    /// The mean over the rankings.
    public var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// The standard deviation over the rankings, with n − 1; nil for a single ranking.
    public var deviation: Double? {
      guard values.count > 1 else { return nil }
      let center = mean
      return (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(values.count - 1)).squareRoot()
    }
  }

  /// What intervals are over.
  public enum Resampled: String, Codable, Sendable {
    /// Whole rankings, from several seeds.
    case rankings
    /// The prompts of one ranking.
    case prompts
  }

  /// The name of the ground truth.
  public var truth: String
  /// The number of heads (edges) the truth names.
  public var trueItems: Int
  /// The number of heads (edges) of the model.
  public var items: Int
  /// How many were taken for the measures at k.
  public var k: Int
  /// The measures, in a fixed order.
  public var measures: [Measure]
  /// What the intervals are over; nil where there are none.
  public var resampled: Resampled?

  /// Scores rankings of heads against a truth.
  /// - Parameters:
  ///   - tables: one ranking, or several of the same model from different seeds.
  ///   - k: how many heads the measures at k take; nil takes as many as the truth names.
  ///   - seed: of the bootstrap.
  /// - Throws: `ScoreError`.
  public init(_ tables: [HeadTable], truth: GroundTruth, k: Int? = nil, seed: UInt64 = 0) throws(ScoreError) {
    var labelled: [LabelledScores] = []
    for table in tables { labelled.append(try table.labelled(by: truth)) }
    try self.init(labelled, truth: truth.name, k: k, seed: seed)
  }

  /// Scores rankings of edges against a circuit.
  /// - Throws: `ScoreError`.
  public init(
    _ tables: [EdgeTable], truth: Circuit, name: String, k: Int? = nil, seed: UInt64 = 0
  ) throws(ScoreError) {
    var labelled: [LabelledScores] = []
    for table in tables { labelled.append(try table.labelled(by: truth, name: name)) }
    try self.init(labelled, truth: name, k: k, seed: seed)
  }

  private init(_ rankings: [LabelledScores], truth: String, k: Int?, seed: UInt64) throws(ScoreError) {
    precondition(!rankings.isEmpty, "no rankings to score")
    self.truth = truth
    trueItems = rankings[0].positives
    items = rankings[0].count
    let count = k ?? rankings[0].positives
    self.k = count
    resampled = rankings.count > 1 ? .rankings : nil
    var values: [[Double]] = []
    for ranking in rankings { values.append(try Self.values(ranking, k: count)) }
    measures = Self.names.enumerated().map { place, name in
      let column = values.map { $0[place] }
      return Measure(
        name: name, values: column,
        interval: column.count > 1 ? bootstrapInterval(ofMean: column, seed: seed) : nil)
    }
  }

  /// Scores one ranking against a truth, with intervals over its prompts.
  /// - Parameter draws: the scores of all heads for each draw of the prompts with replacement, by layer and head, as
  ///   `HeadScorer.scores(draws:seed:)` gives them; without any there are no intervals.
  /// - Throws: `ScoreError`.
  public init(
    _ table: HeadTable, draws: [[Double]], truth: GroundTruth, k: Int? = nil
  ) throws(ScoreError) {
    try self.init([table], truth: truth, k: k)
    guard draws.count > 1 else { return }
    var values: [[Double]] = []
    for scores in draws {
      let drawn = HeadTable(
        path: table.path, layers: table.layers, headsPerLayer: table.headsPerLayer, scores: scores)
      values.append(try Self.values(drawn.labelled(by: truth), k: self.k))
    }
    resampled = .prompts
    for place in measures.indices {
      measures[place].interval = percentileInterval(values.map { $0[place] })
    }
  }

  /// Every measure of one ranking, in the order of `names`.
  private static func values(_ scores: LabelledScores, k: Int) throws(ScoreError) -> [Double] {
    let top = try scores.top(k)
    return [
      scores.trapezoidAUC, scores.pessimisticAUC, scores.averagePrecision, top.precision, top.recall, top.f1,
      top.authorsF1, scores.bestAuthorsF1,
    ]
  }

  private static let names = [
    "trapezoid_auc", "pessimistic_auc", "average_precision", "precision_at_k", "recall_at_k", "f1_at_k",
    "authors_f1_at_k", "best_authors_f1",
  ]

  /// The measure of this name.
  public func measure(named name: String) -> Measure? { measures.first { $0.name == name } }
}
