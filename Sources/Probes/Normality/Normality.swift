// What prompts of a recording are like: a normal distribution for each place, and how distances from it are spread.

import Recordings
import Tensors

/// Normal distributions of what a model writes on some prompts, against which others are held.
public struct Normality: Sendable, Equatable {
  /// One place's distribution.
  public struct Part: Sendable, Equatable {
    /// The place.
    public var place: Place
    /// The distribution of its rows.
    public var gaussian: ShrunkGaussian
    /// How its scores are spread on prompts that were held out.
    public var spread: ScaledChiSquared
  }

  /// What was recorded, and from what.
  public let source: RecordingDescription
  /// SHA-256 of the recording.
  public let recordingSHA256: String
  /// The prompts that it was fitted to.
  public let promptCount: Int
  /// The places.
  public let parts: [Part]
  /// How the sum of all places' scores is spread.
  public let spread: ScaledChiSquared
  /// The same with a tail that is rather too long: for naming single prompts among many.
  public let bound: ScaledChiSquared

  /// Prompts that a fit needs at least.
  public static let leastPrompts = 20

  /// Distributions of known parts.
  public init(
    source: RecordingDescription, recordingSHA256: String, promptCount: Int, parts: [Part],
    spread: ScaledChiSquared, bound: ScaledChiSquared
  ) {
    self.source = source
    self.recordingSHA256 = recordingSHA256
    self.promptCount = promptCount
    self.parts = parts
    self.spread = spread
    self.bound = bound
  }

  /// Degrees of freedom of the sum of all places' scores, were the places independent and the distributions known.
  public var freedom: Int { parts.reduce(0) { $0 + $1.gaussian.freedom } }
}

/// How a recording is fitted.
public struct NormalityOptions: Sendable, Equatable {
  /// Which outputs are summed.
  public var kind = Place.Kind.layer
  /// One layer; all unless given.
  public var layer: Int?
  /// Components of least variance that are kept; all unless given.
  public var leastComponents: Int?
  /// Parts of the prompts, each held out in turn to see how scores are spread.
  public var foldCount = 5
  /// Seed of these parts.
  public var seed: UInt64 = 0

  /// The usual options.
  public init() {}
}

/// Scores of prompts.
public struct NormalityScores: Sendable, Equatable {
  /// `[part][prompt]`.
  public let parts: [[Double]]

  /// The sum over parts of each prompt.
  public var totals: [Double] {
    (parts.first ?? []).indices.map { prompt in parts.reduce(0) { $0 + $1[prompt] } }
  }
}

extension Normality {
  /// The places of a recording that are fitted: one row a prompt each, at the last position where positions are kept apart.
  public static func places(of recording: Recording, _ options: NormalityOptions) -> [Place] {
    let description = recording.description
    let position: Int? = description.position == .each ? -1 : nil
    let layers = options.layer.map { [$0] } ?? Array(0..<description.layers)
    return layers.flatMap { layer in
      options.kind == .head
        ? (0..<description.heads).map { Place(.head, layer: layer, head: $0, position: position) }
        : [Place(options.kind, layer: layer, position: position)]
    }
  }

  /// Fits some prompts of a recording, and scores each of them by a fit to others.
  ///
  /// - Parameters:
  ///   - prompts: which; all have the places' position.
  ///   - groups: what stays on one side of a split, a number for each prompt of the recording.
  /// - Returns: the fit, and scores of the same prompts in order, each by a fit that did not see it.
  /// - Throws: `RecordingError` where the file is damaged; `ProbeError.tooFewPrompts`.
  public static func fit(
    _ recording: Recording, prompts: [Int], groups: [Int], _ options: NormalityOptions
  ) throws -> (normality: Normality, heldOut: NormalityScores) {
    guard prompts.count >= leastPrompts else {
      throw ProbeError.tooFewPrompts(path: recording.path, prompts: prompts.count, least: leastPrompts)
    }
    let own = prompts.map { groups[$0] }
    let folds = Folds(
      groups: own, labels: prompts.map { recording.examples[$0].isPositive ? 1 : 0 },
      count: options.foldCount,
      seed: options.seed)
    let splits = (0..<options.foldCount).map { folds.split(holdingOut: [$0]) }
      .filter { $0.training.count >= 2 && !$0.held.isEmpty }
    guard !splits.isEmpty else {
      throw ProbeError.tooFewPrompts(path: recording.path, prompts: Set(own).count, least: leastPrompts)
    }
    let fitted = try map(places(of: recording, options), of: recording, prompts: prompts) { _, rows in
      var scores = [Double](repeating: 0, count: rows.rows)
      for split in splits {
        let part = ShrunkGaussian(rows.selected(split.training), leastComponents: options.leastComponents)
        for (prompt, score) in zip(split.held, part.scores(rows.selected(split.held))) {
          scores[prompt] = score
        }
      }
      return (ShrunkGaussian(rows, leastComponents: options.leastComponents).inFloat32, scores)
    }
    let scores = NormalityScores(parts: fitted.map(\.1.1))
    let parts = fitted.map { place, found in
      Part(place: place, gaussian: found.0, spread: ScaledChiSquared(matching: found.1))
    }
    return (
      Normality(
        source: recording.description, recordingSHA256: try recording.sha256(), promptCount: prompts.count,
        parts: parts, spread: ScaledChiSquared(matching: scores.totals),
        bound: ScaledChiSquared(matching: scores.totals, isBound: true)), scores
    )
  }

  /// Scores prompts of a recording.
  /// - Throws: `RecordingError` where the file is damaged; `ProbeError.otherModel` where it is of another model, or was
  ///   read elsewhere in prompts.
  public func scores(_ recording: Recording, prompts: [Int]) throws -> NormalityScores {
    try requireSame(recording.description)
    let gaussians = Dictionary(uniqueKeysWithValues: parts.map { ($0.place, $0.gaussian) })
    let found = try Self.map(parts.map(\.place), of: recording, prompts: prompts) { place, rows in
      gaussians[place]?.scores(rows) ?? []
    }
    return NormalityScores(parts: found.map(\.1))
  }

  private func requireSame(_ other: RecordingDescription) throws(ProbeError) {
    let facts: [(String, String, String)] = [
      ("the models' weights", source.modelSHA256, other.modelSHA256),
      ("positions", source.position.text, other.position.text),
      (
        "sizes", "\(source.layers) layers × \(source.heads) heads × \(source.dModel)",
        "\(other.layers) layers × \(other.heads) heads × \(other.dModel)"
      ),
    ]
    for (fact, fitted, given) in facts where fitted != given {
      throw .otherModel(fact: fact, fitted: String(fitted.prefix(60)), given: String(given.prefix(60)))
    }
  }

  private static func map<Value: Sendable>(
    _ places: [Place], of recording: Recording, prompts: [Int],
    _ body: @Sendable (Place, DoubleMatrix) -> Value
  ) throws(RecordingError) -> [(Place, Value)] {
    var reader = RecordedRows(recording)
    var found: [(Place, Value)] = []
    for start in stride(from: 0, to: places.count, by: 16) {
      var work: [(Place, Tensor)] = []
      for place in places[start..<min(places.count, start + 16)] {
        work.append((place, try reader.rows(place, prompts: prompts)))
      }
      let batch = work
      found += zip(
        batch.map(\.0), parallelMap(batch.count) { body(batch[$0].0, DoubleMatrix(batch[$0].1)) })
    }
    return found
  }
}

extension ShrunkGaussian {
  /// The distribution as a file keeps it, so that what was fitted and what was read back say the same.
  var inFloat32: ShrunkGaussian {
    func narrowed(_ values: [Double]) -> [Double] {
      values.map { max(Double(Float($0)), $0 > 0 ? Double(Float.leastNormalMagnitude) : -.infinity) }
    }
    return ShrunkGaussian(
      mean: mean.map { Double(Float($0)) }, variances: narrowed(variances),
      components: DoubleMatrix(components.tensor), restVariance: restVariance.map { narrowed([$0])[0] },
      shrinkage: shrinkage)
  }
}
