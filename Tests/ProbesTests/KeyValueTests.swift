// Key-value bottlenecks: classes learned one after the other stay, and the keys that decide are known.

@testable import Probes
import Foundation
import Tensors
import Testing

@Suite struct KeyValueTests {
  /// Clusters of one class each, some way apart in 16 columns.
  private func clusters(_ count: Int, classes: Int, gap: Double, seed: UInt64) -> (DoubleMatrix, ProbeTask) {
    let centres = normalRows(classes, 16, seed: 77)
    var rows = normalRows(count, 16, seed: seed)
    let labels = (0..<count).map { $0 % classes }
    for row in 0..<count {
      for column in 0..<16 {
        rows.values[row * 16 + column] += gap * centres.values[labels[row] * 16 + column]
      }
    }
    return (rows, ProbeTask(labels: labels, classCount: classes, groups: Array(0..<count)))
  }

  @Test func centresOfApartClustersAreFound() {
    let (rows, task) = clusters(200, classes: 4, gap: 10, seed: 1)
    var generator = SeededGenerator(seed: 2)
    let centres = kMeansCentres(rows, count: 4, &generator)
    let owners = nearestCentres(rows, centres)
    for row in 4..<200 { #expect(owners[row] == owners[task.labels[row]]) }
    #expect(Set(owners).count == 4)
    // Never more than there are different rows.
    let same = DoubleMatrix([1, 2, 1, 2, 3, 4], rows: 3, columns: 2)
    #expect(kMeansCentres(same, count: 5, &generator).rows == 2)
  }

  @Test func classesThatCameFirstAreKept() throws {
    // Six clusters around a middle, where a line that parts the last from the others takes some of the first along.
    var rows = normalRows(600, 16, seed: 3)
    for place in rows.values.indices { rows.values[place] *= 0.5 }
    let labels = (0..<600).map { $0 % 6 }
    for row in 0..<600 {
      let angle = 2 * Double.pi * Double(labels[row]) / 6
      rows.values[row * 16] += 4 * cos(angle)
      rows.values[row * 16 + 1] += 4 * sin(angle)
    }
    let task = ProbeTask(labels: labels, classCount: 6, groups: Array(0..<600))
    let found = task.learnIncrementally(rows, classesPerPhase: 2, KeyValueSettings(), ProbeOptions())
    #expect(found.phases == [[0, 1], [2, 3], [4, 5]])
    #expect(found.jointAccuracy > 0.95 && found.jointKeyValueAccuracy > 0.9)
    #expect(found.keyValue.accuracy > 0.9, "\(found.keyValue)")
    #expect(try #require(found.keyValue.forgetting) < 0.1)
    // The same examples in the same order take what a linear probe knew away.
    #expect(found.linear.accuracies[0] > 0.95)
    #expect(found.linear.accuracy < found.keyValue.accuracy - 0.2, "\(found.linear)")
    #expect(try #require(found.linear.forgetting) > 0.3)
    // All at once there is one phase, and nothing to forget.
    let once = task.learnIncrementally(rows, classesPerPhase: 6, KeyValueSettings(), ProbeOptions())
    #expect(once.keyValue.forgetting == nil && once.linear.forgetting == nil && once.linear.accuracy > 0.9)
    #expect(found == task.learnIncrementally(rows, classesPerPhase: 2, KeyValueSettings(), ProbeOptions()))
  }

  @Test func theKeysThatDecideAddUpToTheMargin() {
    let (rows, task) = clusters(300, classes: 3, gap: 3, seed: 4)
    var bottleneck = KeyValueBottleneck(keysOf: rows, classCount: 3)
    let before = bottleneck.chosenKeys(rows)
    bottleneck.learn(rows, task.labels)
    // Keys stay where they were set.
    #expect(bottleneck.chosenKeys(rows) == before)
    let keys = bottleneck.decidingKeys(rows, count: .max)
    #expect(abs(keys.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0.share >= $1.share })
    // Of the rows that chose one of the first, nearly all are of the class that it speaks for.
    for key in keys.prefix(10) {
      #expect(key.rows.allSatisfy { before[key.codebook][$0] == key.key })
      let own = key.rows.count { task.labels[$0] == key.label }
      #expect(Double(own) > 0.9 * Double(key.rows.count))
    }
  }

  /// One example moves the values of its own keys, and of no others.
  @Test func anExampleChangesItsOwnKeysAlone() {
    let rows = normalRows(100, 16, seed: 5)
    var bottleneck = KeyValueBottleneck(keysOf: rows, classCount: 2)
    let chosen = bottleneck.chosenKeys(rows)
    bottleneck.learn(rows.selected([0]), [1])
    for (codebook, values) in bottleneck.values.enumerated() {
      for key in 0..<values.rows {
        let isOwn = key == chosen[codebook][0]
        #expect(values.row(key).contains { $0 != 0 } == isOwn)
      }
    }
  }
}
