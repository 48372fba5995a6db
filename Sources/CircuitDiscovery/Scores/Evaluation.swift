// Rankings against a ground truth: every measure by its exact name, with its spread over several rankings.

/// How one or several rankings of the same model's heads agree with a ground truth.
public struct Evaluation: Equatable, Sendable {
  /// One measure: its value in each ranking, and what they say together.
  public struct Measure: Equatable, Sendable {
    /// The exact name: `trapezoid_auc`, `pessimistic_auc`, `average_precision`, `precision_at_k`, …
    public var name: String
    /// The value in each ranking.
    public var values: [Double]
    /// A 95 % bootstrap interval of the mean over rankings; nil for a single ranking.
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

  /// The name of the ground truth.
  public var truth: String
  /// The number of heads the truth names.
  public var trueHeads: Int
  /// The number of heads of the model.
  public var heads: Int
  /// How many heads were taken for the measures at k.
  public var k: Int
  /// The measures, in a fixed order.
  public var measures: [Measure]

  /// Scores rankings against a truth.
  /// - Parameters:
  ///   - tables: one ranking, or several of the same model from different seeds or resampled prompts.
  ///   - k: how many heads the measures at k take; nil takes as many as the truth names.
  ///   - seed: of the bootstrap.
  /// - Throws: `ScoreError`.
  public init(_ tables: [HeadTable], truth: GroundTruth, k: Int? = nil, seed: UInt64 = 0) throws(ScoreError) {
    precondition(!tables.isEmpty, "no rankings to score")
    self.truth = truth.name
    trueHeads = truth.heads.count
    heads = truth.layers * truth.headsPerLayer
    let count = k ?? trueHeads
    self.k = count
    var values: [[Double]] = []
    for table in tables {
      let scores = try table.labelled(by: truth)
      let top = try scores.top(count)
      values.append([
        scores.trapezoidAUC, scores.pessimisticAUC, scores.averagePrecision, top.precision, top.recall,
        top.f1,
        top.authorsF1, scores.bestAuthorsF1,
      ])
    }
    measures = Self.names.enumerated().map { place, name in
      let column = values.map { $0[place] }
      return Measure(
        name: name, values: column,
        interval: column.count > 1 ? bootstrapInterval(ofMean: column, seed: seed) : nil)
    }
  }

  private static let names = [
    "trapezoid_auc", "pessimistic_auc", "average_precision", "precision_at_k", "recall_at_k", "f1_at_k",
    "authors_f1_at_k", "best_authors_f1",
  ]

  /// The measure of this name.
  public func measure(named name: String) -> Measure? { measures.first { $0.name == name } }
}
