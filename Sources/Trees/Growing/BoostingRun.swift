// Boosting round by round.

import Tables
import Tensors

/// Boosting on its way: the trees so far, and the scores that they give the rows.
struct BoostingRun {
  let objective: BoostingObjective
  private(set) var trees: [Tree] = []
  /// How many features a tree may ask about.
  var featuresDrawn: Int
  private var shape: BoostedTreeShape
  /// The variance of the round's gradients per unit of hessian; 0 where no feature has categories, which alone ask for it.
  private var noise = 0.0
  private let features: QuantisedFeatures
  private let scale: BoostingScale
  /// Rows as records, where the table is tall.
  private let records: RowRecords?
  private(set) var scores: [Double]
  /// Rows that no tree is fitted to; none where empty.
  private let unused: [Bool]
  private let team: any RowTeam
  private var generator: SeededGenerator

  init(
    _ features: QuantisedFeatures, _ objective: BoostingObjective, _ options: BoostingOptions,
    _ scale: BoostingScale, unused: [Bool] = [], team: some RowTeam = LoneProcess()
  ) {
    self.unused = unused
    self.team = team
    self.features = features
    self.objective = objective
    self.scale = scale
    let areAllAsked = scale.featuresDrawn == features.binCounts.count && scale.featuresTried == nil
    records =
      areAllAsked && RowRecords.serve(features, depth: scale.shape.maximumDepth)
      ? RowRecords(features, objective.gradientsAreBounded ? .units : .floats) : nil
    featuresDrawn = scale.featuresDrawn
    shape = scale.shape
    scores = [Double](
      unsafeUninitializedCapacity: features.rowCount * objective.scoreCount
    ) { scores, initialized in
      initialized = scores.count
      for place in scores.indices {
        scores.initializeElement(at: place, to: objective.baseScores[place % objective.scoreCount])
      }
    }
    generator = SeededGenerator(seed: options.seed, stream: "boosting")
  }

  /// Adds a tree for every score.
  /// - Returns: the rows that the trees were not fitted to.
  @discardableResult
  mutating func addRound() -> [Int] {
    if !features.categories.isEmpty { noise = objective.noise(scores, unused: unused, team: team) }
    if let records, objective.scoreCount == 1, scale.rowsDrawn == nil {
      loadGradients(records)
      trees.append(addTree(over: records, output: 0))
      return []
    }
    var gradients = objective.gradients(scores)
    let leftOut = rowsLeftOut()
    for score in gradients.indices {
      // Given away, not shared: the grower moves them about.
      var own: [Float] = []
      swap(&own, &gradients[score])
      // A row without weight still finds its leaf, and with it its next gradient.
      for row in leftOut { (own[2 * row], own[2 * row + 1]) = (0, 0) }
      for row in unused.indices where unused[row] { (own[2 * row], own[2 * row + 1]) = (0, 0) }
      if let records {
        records.load(own)
        trees.append(addTree(over: records, output: score))
      } else {
        trees.append(addTree(on: consume own, output: score))
      }
    }
    return leftOut
  }

  /// Writes the gradients of the only score where they are summed up, without holding all of them.
  private func loadGradients(_ records: RowRecords) {
    let (objective, unused) = (objective, unused)
    scores.withUnsafeBufferPointer { scores in
      guard let base = scores.baseAddress else { return }
      let shared = SendablePointer(reading: base)
      records.load { range, pairs in
        objective.write(range, scores: shared.base, to: pairs, stride: 0)
        guard !unused.isEmpty else { return }
        for (place, row) in range.enumerated() where unused[row] {
          pairs[2 * place] = 0
          pairs[2 * place + 1] = 0
        }
      }
    }
  }

  /// Grows a tree on the gradients in the records, and adds what it says to the scores.
  private mutating func addTree(over records: RowRecords, output: Int) -> Tree {
    let width = objective.scoreCount
    var grower = RangeGrower(
      features, records, shape: shape, noise: noise, team: team)
    let tree = grower.tree(output: output)
    scores.withUnsafeMutableBufferPointer { scores in
      if let base = scores.baseAddress { grower.add(tree, to: base, width: width) }
    }
    return tree
  }

  /// Grows a tree on the gradients of one score, and adds what it says to the scores.
  private mutating func addTree(on gradients: consuming [Float], output: Int) -> Tree {
    let width = objective.scoreCount
    var grower = LevelGrower(
      features, asking: featuresAsked(), gradients: consume gradients, shape: shape,
      noise: noise)
    let (tree, leafOfRow) = grower.grow(output: output)
    let (leafValues, rowCount) = (tree.leafValues, features.rowCount)
    scores.withUnsafeMutableBufferPointer { scores in
      guard let base = scores.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelRanges(rowCount, minimum: 8192) { range in
        for row in range { shared.base[row * width + output] += leafValues[Int(leafOfRow[row])] }
      }
    }
    return tree
  }

  private mutating func rowsLeftOut() -> [Int] {
    guard let drawn = scale.rowsDrawn else { return [] }
    return Array(generator.permutation(of: features.rowCount).dropFirst(drawn))
  }

  private mutating func featuresAsked() -> [Int] {
    let count = features.binCounts.count
    return featuresDrawn == count
      ? Array(0..<count) : generator.permutation(of: count).prefix(featuresDrawn).sorted()
  }

  /// The learning rate of the trial: at a lower one twelve rounds show little.
  private static let trialRate = 0.3

  /// Whether trees should ask about `part` of the features rather than about all of them.
  ///
  /// Twelve rounds are tried, of all and of a part in turn. A tree of all features nearly always does more for the rows
  /// that it has not seen; only where it does more than three times as much are the trees of a part too poor for what
  /// their variety is worth. On the tables this was set with, the ratio is 2.6 to over 100, mostly above 4, where three
  /// columns decide among 20 to 20,000 of noise, and 1 to 3.1 on measured ones.
  func gainsByDrawing(_ part: Int) -> Bool {
    var trial = self
    trial.shape.learningRate = Self.trialRate
    var (whole, drawn) = (0.0, 0.0)
    for round in 0..<12 {
      trial.featuresDrawn = round % 2 == 0 ? features.binCounts.count : part
      let before = trial.scores
      let unseen = trial.addRound()
      let gain = objective.loss(before, rows: unseen) - objective.loss(trial.scores, rows: unseen)
      if round % 2 == 0 { whole += gain } else { drawn += gain }
    }
    return whole <= 3 * drawn
  }
}
