// Logistic regression, naive Bayes and what is around them.

import Files
@testable import Probes
import Tensors
import Testing

@Suite struct EstimatorTests {
  @Test func logisticRegressionIsThatOfScikitLearn() throws {
    for stored in try ScikitLearn().cases("classification") {
      let (rows, classes) = (try stored.member("x").matrix, try stored.member("classes").wholeNumber ?? 0)
      let labels = try stored.member("labels").numbers.map { Int($0) }
      let space = RowSpace(spannedBy: rows)
      for fit in try stored.member("fits").elements ?? [] {
        let strength = try fit.member("C").anyNumber ?? 1
        let plain = LogisticRegression(
          rows, labels, classCount: classes, strength: strength, tolerance: 1e-11)
        // Fitted in fewer coordinates and taken back, it is the same.
        let reduced = space.widened(
          LogisticRegression(
            space.coordinates(of: rows), labels, classCount: classes, strength: strength, tolerance: 1e-11))
        for found in [plain, reduced] {
          #expect(difference(found.weights.values, try fit.member("weights").matrix.values) < 1e-5)
          let own = try fit.member("intercepts").numbers
          #expect(difference(found.intercepts, own) < 1e-5)
        }
      }
    }
  }

  @Test func naiveBayesIsThatOfScikitLearn() throws {
    for stored in try ScikitLearn().cases("classification") {
      let rows = try stored.member("x").matrix
      let labels = try stored.member("labels").numbers.map { Int($0) }
      let found = GaussianNaiveBayes(rows, labels, classCount: try stored.member("classes").wholeNumber ?? 0)
      let bayes = try stored.member("bayes")
      #expect(difference(found.means.values, try bayes.member("theta").matrix.values) < 1e-12)
      #expect(difference(found.variances.values, try bayes.member("var").matrix.values) < 1e-12)
      let scores = found.scores(rows.selected(Array(0..<5)))
      #expect(difference(scores.values, try bayes.member("joint").matrix.values) < 1e-10)
    }
  }

  @Test func strengthIsChosenByScikitLearnsLosses() throws {
    for stored in try ScikitLearn().cases("classification") {
      let labels = try stored.member("labels").numbers.map { Int($0) }
      let classes = try stored.member("classes").wholeNumber ?? 2
      let task = ProbeTask(labels: labels, classCount: classes, groups: Array(labels.indices))
      let (strengths, losses) = (
        try stored.member("strengths").numbers, try stored.member("losses").numbers
      )
      let chosen = ProbeRows(try stored.member("x").matrix, task).chosenStrength(
        strengths, parts: Folds(parts: try stored.member("parts").numbers.map { Int($0) }), count: 4,
        tolerance: 1e-10)
      #expect(difference(chosen.losses, losses) < 1e-6)
      let least = try #require(losses.indices.min { losses[$0] < losses[$1] })
      #expect(chosen.strength == strengths[least])
    }
  }

  /// The gradient of the loss at the minimum is zero by finite differences of the loss itself.
  @Test func theMinimumIsOne() {
    let rows = normalRows(30, 4, seed: 3)
    let labels = (0..<30).map { rows.values[$0 * 4] + rows.values[$0 * 4 + 1] > 0 ? 1 : 0 }
    let fit = LogisticRegression(rows, labels, classCount: 2, strength: 2, tolerance: 1e-10)
    func objective(_ weights: [Double]) -> Double {
      let model = LogisticRegression(
        classCount: 2, weights: DoubleMatrix(weights, rows: 1, columns: 4), intercepts: fit.intercepts)
      return 2 * model.logLoss(rows, labels) + weights.reduce(0) { $0 + $1 * $1 } / 2
    }
    for place in 0..<4 {
      var (up, down) = (fit.weights.values, fit.weights.values)
      up[place] += 1e-4
      down[place] -= 1e-4
      #expect(abs(objective(up) - objective(down)) / 2e-4 < 1e-5)
    }
  }

  @Test func foldsKeepGroupsTogetherAndClassesEven() {
    let groups = (0..<120).map { $0 / 2 }
    let labels = (0..<120).map { $0 / 2 % 3 }
    let folds = Folds(groups: groups, labels: labels, count: 10, seed: 5)
    for example in stride(from: 0, to: 120, by: 2) {
      #expect(folds.parts[example] == folds.parts[example + 1])
    }
    for part in 0..<10 {
      for label in 0..<3 {
        #expect(
          [2, 4, 6].contains(folds.parts.indices.count { folds.parts[$0] == part && labels[$0] == label }))
      }
    }
    #expect(folds != Folds(groups: groups, labels: labels, count: 10, seed: 6))
  }

  /// Of 2,000 draws, the interval holds the true share in about 95 %, whether or not pairs go together.
  @Test(arguments: [0.0, 1.0]) func intervalsHoldTheShare(together: Double) {
    var generator = SeededGenerator(seed: 8)
    var hits = 0
    for _ in 0..<2000 {
      var right: [Bool] = []
      for _ in 0..<75 {
        let first = generator.uniform() < 0.85
        right += [first, generator.uniform() < together ? first : generator.uniform() < 0.85]
      }
      if shareInterval(right, groups: (0..<150).map { $0 / 2 }).contains(0.85) { hits += 1 }
    }
    #expect((0.93...0.975).contains(Double(hits) / 2000), "\(hits) of 2000")
    // Nothing wrong is no certainty: 75 pairs count as 75.
    let perfect = shareInterval([Bool](repeating: true, count: 150), groups: (0..<150).map { $0 / 2 })
    #expect(abs(perfect.lowerBound - 75 / (75 + 3.8414588)) < 1e-6 && perfect.upperBound > 1 - 1e-12)
  }
}
