// Probes of planted rows: what is there is found, what is not is not, and learning by heart shows.

@testable import Probes
import Tensors
import Testing

@Suite struct ProbeTests {
  /// Two classes apart by `gap` in the first column, among columns that say nothing.
  private func planted(_ count: Int, width: Int, gap: Double, seed: UInt64) -> (DoubleMatrix, ProbeTask) {
    var rows = normalRows(count, width, seed: seed)
    let labels = (0..<count).map { $0 % 2 }
    for row in 0..<count { rows.values[row * width] += gap * (Double(labels[row]) - 0.5) }
    return (rows, ProbeTask(labels: labels, classCount: 2, groups: (0..<count).map { $0 / 2 }))
  }

  @Test func aPlantedFieldIsFoundAndChanceIsNot() {
    let (rows, task) = planted(400, width: 20, gap: 4, seed: 1)
    let found = task.probe(rows)
    // Φ(2) = 0.977 is the best that can be done.
    #expect((0.93...1).contains(found.accuracy) && found.interval.contains(0.977))
    #expect((0.93...1).contains(found.bayesAccuracy) && found.majority == 0.5)
    let direction = found.directions[1]
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(direction[0] / length > 0.9 && zip(found.directions[0], direction).allSatisfy { $0 == -$1 })
    let (noise, _) = planted(400, width: 20, gap: 0, seed: 2)
    let nothing = task.probe(noise)
    #expect(nothing.interval.contains(0.5) && nothing.strength <= 0.01)
    // A place that writes a thousandth is told as well.
    var small = rows
    for place in small.values.indices { small.values[place] = small.values[place] * 1e-3 + 5 }
    #expect(task.probe(small).accuracy == found.accuracy)
  }

  /// 40 kinds of example, each with its own direction and nothing else: any classes of kinds can be learned.
  @Test func whatIsLearnedByHeartIsNotSelective() {
    let kinds = (0..<400).map { $0 % 40 }
    var rows = normalRows(400, 48, seed: 3)
    for row in 0..<400 { rows.values[row * 48 + kinds[row]] += 12 }
    let byKind = ProbeTask(
      labels: kinds.map { $0 % 2 }, classCount: 2, groups: Array(0..<400), kinds: kinds)
    let learned = byKind.probe(rows)
    #expect(learned.accuracy > 0.9)
    #expect(abs(learned.selectivity ?? 1) < 0.06)
    // A field of its own beside kinds that the rows hardly show is selective.
    let (plain, task) = planted(400, width: 20, gap: 4, seed: 4)
    var other = task
    other.kinds = kinds
    #expect((other.probe(plain).selectivity ?? 0) > 0.3)
  }

  /// Zheng et al. 2023: naive Bayes needs fewer examples, and is wrong in the end where columns hang together. Ten columns
  /// tell the classes and share a noise, fifty larger ones tell nothing: each by itself is soon weighed by its own variance,
  /// but the shared noise is taken away by all of them together alone.
  @Test func naiveBayesIsAheadOfLogisticRegressionUntilItsAssumptionCostsMore() {
    let (count, width) = (1200, 60)
    var generator = SeededGenerator(seed: 6)
    var rows = DoubleMatrix(rows: count, columns: width)
    let labels = (0..<count).map { $0 % 2 }
    for row in 0..<count {
      let shared = generator.normal()
      for column in 0..<width {
        var value = generator.normal()
        if column < 10 {
          value += shared * (column < 7 ? 1 : -1) + (labels[row] == 1 ? 0.7 : -0.7)
        } else {
          value *= 8
        }
        rows.values[row * width + column] = value
      }
    }
    let task = ProbeTask(labels: labels, classCount: 2, groups: Array(0..<count))
    var options = ProbeOptions()
    options.curveDraws = 10
    let curve = task.probe(rows, options).curve
    #expect(curve.points.map(\.examples).prefix(4) == [4, 8, 16, 32])
    guard case .crosses(let crossing)? = curve.lead else {
      Issue.record("no crossing: \(curve.points)")
      return
    }
    #expect((128...512).contains(crossing), "\(curve.points)")
    #expect(curve.points.contains { $0.bayesAccuracy > $0.accuracy + 0.15 })
    let last = curve.points.last
    #expect((last?.accuracy ?? 0) > (last?.bayesAccuracy ?? 1) + 0.03)
  }

  @Test func theLeadIsRead() {
    func lead(_ pairs: [(Double, Double)]) -> LearningCurve.Lead? {
      LearningCurve(
        points: pairs.enumerated().map {
          LearningPoint(examples: 4 << $0.offset, accuracy: $0.element.0, bayesAccuracy: $0.element.1)
        }
      ).lead
    }
    #expect(lead([]) == nil)
    #expect(lead([(0.5, 0.5), (0.7, 0.6)]) == .logistic)
    #expect(lead([(0.5, 0.6), (0.7, 0.6), (0.7, 0.8)]) == .bayes)
    #expect(lead([(0.5, 0.6), (0.7, 0.6), (0.6, 0.65), (0.8, 0.8)]) == .crosses(at: 32))
  }

  @Test func theSameSeedGivesTheSameResult() {
    let (rows, task) = planted(120, width: 150, gap: 3, seed: 9)
    var other = ProbeOptions()
    other.seed = 1
    #expect(task.probe(rows) == task.probe(rows))
    #expect(task.probe(rows).curve != task.probe(rows, other).curve)
  }
}
