// Accuracy by the number of training examples, for logistic regression and naive Bayes (Ng & Jordan 2002; Zheng et al.
// 2023, arXiv 2302.02334).

import Tensors

/// A point of a learning curve: means over draws of the training examples.
public struct LearningPoint: Sendable, Equatable {
  /// Training examples.
  public var examples: Int
  /// Accuracy of logistic regression on held-out examples.
  public var accuracy: Double
  /// Its standard deviation over draws; 0 where there was one.
  public var deviation: Double
  /// Accuracy of naive Bayes.
  public var bayesAccuracy: Double
  /// Its standard deviation.
  public var bayesDeviation: Double

  /// A point.
  public init(
    examples: Int, accuracy: Double, deviation: Double = 0, bayesAccuracy: Double, bayesDeviation: Double = 0
  ) {
    self.examples = examples
    self.accuracy = accuracy
    self.deviation = deviation
    self.bayesAccuracy = bayesAccuracy
    self.bayesDeviation = bayesDeviation
  }
}

/// Accuracies of both probes on the same held-out examples.
public struct LearningCurve: Sendable, Equatable {
  /// Which of two curves is ahead.
  public enum Lead: Sendable, Equatable {
    /// Naive Bayes is ahead up to some number of examples, and logistic regression does at least as well from this one on.
    case crosses(at: Int)
    /// Logistic regression does at least as well from the first point to the last.
    case logistic
    /// Naive Bayes is still ahead with all examples.
    case bayes
  }

  /// From the fewest examples to all.
  public var points: [LearningPoint]

  /// A curve.
  public init(points: [LearningPoint]) { self.points = points }

  /// Where the curves cross for the last time; nil without points.
  public var lead: Lead? {
    guard let last = points.last else { return nil }
    guard let behind = points.lastIndex(where: { $0.accuracy < $0.bayesAccuracy }) else { return .logistic }
    return points[behind].examples == last.examples ? .bayes : .crosses(at: points[behind + 1].examples)
  }

  /// The mean of several curves at numbers of examples that all of them have.
  public init(meanOf curves: [LearningCurve]) {
    guard let first = curves.first else {
      self.init(points: [])
      return
    }
    self.init(
      points: first.points.compactMap { point in
        let others = curves.compactMap { curve in curve.points.first { $0.examples == point.examples } }
        guard others.count == curves.count else { return nil }
        let share = 1 / Double(others.count)
        return LearningPoint(
          examples: point.examples, accuracy: others.reduce(0) { $0 + $1.accuracy * share },
          bayesAccuracy: others.reduce(0) { $0 + $1.bayesAccuracy * share })
      })
  }

  /// Fits both probes to more and more training examples; of few, each class gets as many as the others.
  /// - Parameter strength: C of logistic regression, the same at every point.
  init(
    training: ProbeRows, held: ProbeRows, space: RowSpace, strength: Double, _ options: ProbeOptions
  ) {
    guard options.curveDraws > 0 else {
      self.init(points: [])
      return
    }
    let (reduced, reducedHeld) = (training.inCoordinates(of: space), held.inCoordinates(of: space))
    let labels = held.task.labels
    var generator = SeededGenerator(seed: options.seed, stream: "learning curve")
    self.init(
      points: Self.sizes(training.task).map { size in
        var (logistic, bayes): ([Double], [Double]) = ([], [])
        for _ in 0..<(size == training.task.labels.count ? 1 : options.curveDraws) {
          let chosen = Self.balanced(training.task.labels, size, &generator)
          logistic.append(
            reduced.selected(chosen).logistic(strength, tolerance: 1e-4).accuracy(reducedHeld.rows, labels))
          let own = training.selected(chosen)
          bayes.append(
            GaussianNaiveBayes(own.rows, own.task.labels, classCount: own.task.classCount)
              .accuracy(held.rows, labels))
        }
        return LearningPoint(
          examples: size, accuracy: Self.mean(logistic), deviation: Self.deviation(logistic),
          bayesAccuracy: Self.mean(bayes), bayesDeviation: Self.deviation(bayes))
      })
  }

  /// Doubling from two of each class, up to all.
  private static func sizes(_ task: ProbeTask) -> [Int] {
    var sizes: [Int] = []
    var size = 2 * task.classCount
    while size < task.labels.count {
      sizes.append(size)
      size *= 2
    }
    return sizes + [task.labels.count]
  }

  /// Examples drawn class by class in turn, so that few of them hold every class.
  private static func balanced(_ labels: [Int], _ count: Int, _ generator: inout SeededGenerator) -> [Int] {
    guard count < labels.count else { return Array(labels.indices) }
    let order = generator.permutation(of: labels.count)
    var queues = Dictionary(grouping: order) { labels[$0] }.sorted { $0.key < $1.key }.map(\.value)
    var chosen: [Int] = []
    while chosen.count < count {
      for place in queues.indices where !queues[place].isEmpty && chosen.count < count {
        chosen.append(queues[place].removeLast())
      }
    }
    return chosen.sorted()
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(1, values.count))
  }

  private static func deviation(_ values: [Double]) -> Double {
    let middle = mean(values)
    return (values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(max(1, values.count - 1)))
      .squareRoot()
  }
}
