// One place of a model asked what it knows: probes with their controls.

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What probes of one place found.
public struct ProbeResult: Sendable, Equatable {
  /// The share of held-out examples that logistic regression gets right.
  public var accuracy: Double
  /// Its 95 % interval over held-out groups drawn again.
  public var interval: ClosedRange<Double>
  /// The penalty's C that held-out training examples chose.
  public var strength: Double
  /// The same share for Gaussian naive Bayes.
  public var bayesAccuracy: Double
  /// Its interval.
  public var bayesInterval: ClosedRange<Double>
  /// Logistic regression on the control task: a random class for each kind of example; nil where there is no such task.
  public var controlAccuracy: Double?
  /// The share of the commonest class among held-out examples.
  public var majority: Double
  /// The direction in which the last class's score rises `[width]`, in the units of the rows.
  public var direction: [Double]
  /// Accuracies by the number of training examples.
  public var curve: [LearningPoint]

  /// Accuracy above that of the control task (Hewitt & Liang 2019).
  public var selectivity: Double? { controlAccuracy.map { accuracy - $0 } }

  /// The least number of examples from which on logistic regression does at least as well as naive Bayes; nil where it
  /// never does, or always.
  public var crossing: Int? {
    guard let last = curve.last, last.accuracy >= last.bayesAccuracy else { return nil }
    var found: Int?
    for point in curve.reversed() {
      guard point.accuracy >= point.bayesAccuracy else { return found }
      found = point.examples
    }
    return nil
  }
}

/// A point of a learning curve: means over draws of the training examples.
public struct LearningPoint: Sendable, Equatable {
  /// Training examples.
  public var examples: Int
  /// Accuracy of logistic regression on held-out examples.
  public var accuracy: Double
  /// The standard deviation over draws.
  public var deviation: Double
  /// Accuracy of naive Bayes.
  public var bayesAccuracy: Double
  /// Its standard deviation.
  public var bayesDeviation: Double
}

/// Examples and what is asked of them.
public struct ProbeTask: Sendable {
  /// Classes from 0.
  public var labels: [Int]
  /// The number of classes.
  public var classCount: Int
  /// What stays on one side of a split.
  public var groups: [Int]
  /// What kind each example is of, such as its token: the control task draws a class for each kind.
  public var kinds: [Int]

  /// A task.
  public init(labels: [Int], classCount: Int, groups: [Int], kinds: [Int]) {
    precondition(labels.count == groups.count && labels.count == kinds.count)
    self.labels = labels
    self.classCount = classCount
    self.groups = groups
    self.kinds = kinds
  }
}

/// How places are probed.
public struct ProbeOptions: Sendable, Equatable {
  /// The share of groups held out.
  public var heldShare = 0.3
  /// C's that are tried.
  public var strengths = [1e-3, 1e-2, 0.1, 1, 10, 100]
  /// Draws of training examples at each point of a learning curve; 0 for no curve.
  public var curveDraws = 5
  /// Draws of held-out groups for intervals.
  public var intervalDraws = 500
  /// Seed of splits and draws.
  public var seed: UInt64 = 0

  /// The usual options.
  public init() {}
}

extension ProbeTask {
  /// Probes rows `[examples, width]`, one for each example.
  ///
  /// Rows are centred and divided by one number, the root of their mean square, both of the training rows: a place that
  /// writes little is told as well as one that writes much. C is chosen on a quarter of the training groups.
  public func probe(_ rows: Tensor, _ options: ProbeOptions) -> ProbeResult {
    let split = ProbeSplit(groups: groups, heldShare: options.heldShare, seed: options.seed)
    let scaled = ProbeScaling(rows, split.training).applied(to: rows)
    let (training, held) = (scaled.selected(split.training), scaled.selected(split.held))
    let (trainingLabels, heldLabels) = (split.training.map { labels[$0] }, split.held.map { labels[$0] })
    let strength = chosenStrength(training, trainingLabels, split.training, options)
    let logistic = LogisticRegression(
      training, trainingLabels, classCount: classCount, strength: strength, tolerance: 1e-5)
    let bayes = GaussianNaiveBayes(training, trainingLabels, classCount: classCount)
    let right = zip(logistic.classes(held), heldLabels).map { $0 == $1 }
    let bayesRight = zip(bayes.classes(held), heldLabels).map { $0 == $1 }
    let heldGroups = split.held.map { groups[$0] }
    let counts = Dictionary(heldLabels.map { ($0, 1) }, uniquingKeysWith: +)
    return ProbeResult(
      accuracy: share(right), interval: interval(right, heldGroups, options), strength: strength,
      bayesAccuracy: share(bayesRight), bayesInterval: interval(bayesRight, heldGroups, options),
      controlAccuracy: control(scaled, split, strength, options),
      majority: Double(counts.values.max() ?? 0) / Double(max(1, heldLabels.count)),
      direction: logistic.direction(ofClass: classCount - 1),
      curve: curve(training, trainingLabels, held, heldLabels, strength, options))
  }

  private func share(_ right: [Bool]) -> Double {
    Double(right.count { $0 }) / Double(max(1, right.count))
  }

  /// C by accuracy, then by likelihood, on a quarter of the training groups; of equal ones the smallest.
  private func chosenStrength(
    _ rows: Tensor, _ labels: [Int], _ places: [Int], _ options: ProbeOptions
  ) -> Double {
    guard options.strengths.count > 1 else { return options.strengths.first ?? 1 }
    let inner = ProbeSplit(groups: places.map { groups[$0] }, heldShare: 0.25, seed: options.seed &+ 1)
    let (fit, test) = (rows.selected(inner.training), rows.selected(inner.held))
    let (fitLabels, testLabels) = (inner.training.map { labels[$0] }, inner.held.map { labels[$0] })
    var best: (strength: Double, loss: Double)?
    for strength in options.strengths {
      let model = LogisticRegression(
        fit, fitLabels, classCount: classCount, strength: strength, tolerance: 1e-4)
      let scores = model.scores(test)
      let loss = zip(scores, testLabels).reduce(0.0) { sum, pair in
        let most = pair.0.max() ?? 0
        return sum + most + log(pair.0.reduce(0) { $0 + exp($1 - most) }) - pair.0[pair.1]
      }
      if loss < (best?.loss ?? .infinity) { best = (strength, loss) }
    }
    return best?.strength ?? 1
  }

  /// The same probe on classes drawn for each kind of example, as often as the real ones; nil where every example is of
  /// a kind of its own, or all are of one.
  private func control(
    _ rows: Tensor, _ split: ProbeSplit, _ strength: Double, _ options: ProbeOptions
  ) -> Double? {
    let names = Set(kinds).sorted()
    guard names.count > 1, names.count < kinds.count else { return nil }
    var generator = SeededGenerator(seed: options.seed, stream: "control task")
    // Classes in the shares that the real ones have.
    let drawn = Dictionary(
      uniqueKeysWithValues: names.map { ($0, labels[generator.index(below: labels.count)]) })
    let random = kinds.map { drawn[$0] ?? 0 }
    guard Set(random).count > 1 else { return nil }
    let model = LogisticRegression(
      rows.selected(split.training), split.training.map { random[$0] }, classCount: classCount,
      strength: strength, tolerance: 1e-4)
    return model.accuracy(rows.selected(split.held), split.held.map { random[$0] })
  }

  private func interval(
    _ right: [Bool], _ groups: [Int], _ options: ProbeOptions
  ) -> ClosedRange<Double> {
    let members = Dictionary(grouping: right.indices) { groups[$0] }.sorted { $0.key < $1.key }.map(\.value)
    guard !members.isEmpty, options.intervalDraws > 0 else { return 0...1 }
    var generator = SeededGenerator(seed: options.seed, stream: "probe interval")
    let shares = (0..<options.intervalDraws).map { _ -> Double in
      var (hits, count) = (0, 0)
      for _ in members {
        for place in members[generator.index(below: members.count)] {
          count += 1
          if right[place] { hits += 1 }
        }
      }
      return Double(hits) / Double(max(1, count))
    }.sorted()
    return shares[Int(0.025 * Double(shares.count - 1))]...shares[Int(0.975 * Double(shares.count - 1))]
  }

  /// Numbers of training examples: doubling from 4.
  private func curve(
    _ training: Tensor, _ labels: [Int], _ held: Tensor, _ heldLabels: [Int], _ strength: Double,
    _ options: ProbeOptions
  ) -> [LearningPoint] {
    guard options.curveDraws > 0 else { return [] }
    var generator = SeededGenerator(seed: options.seed, stream: "learning curve")
    var sizes: [Int] = []
    var size = 4
    while size < labels.count {
      sizes.append(size)
      size *= 2
    }
    sizes.append(labels.count)
    return sizes.map { size in
      var (logistic, bayes): ([Double], [Double]) = ([], [])
      for _ in 0..<(size == labels.count ? 1 : options.curveDraws) {
        let chosen = Self.balanced(labels, size, &generator)
        let (rows, own) = (training.selected(chosen), chosen.map { labels[$0] })
        logistic.append(
          LogisticRegression(rows, own, classCount: classCount, strength: strength, tolerance: 1e-4)
            .accuracy(held, heldLabels))
        bayes.append(GaussianNaiveBayes(rows, own, classCount: classCount).accuracy(held, heldLabels))
      }
      return LearningPoint(
        examples: size, accuracy: Self.mean(logistic), deviation: Self.deviation(logistic),
        bayesAccuracy: Self.mean(bayes), bayesDeviation: Self.deviation(bayes))
    }
  }

  /// Examples drawn class by class in turn, so that few of them hold every class.
  private static func balanced(
    _ labels: [Int], _ count: Int, _ generator: inout SeededGenerator
  ) -> [Int] {
    let order = generator.permutation(of: labels.count)
    var queues = Dictionary(grouping: order) { labels[$0] }.sorted { $0.key < $1.key }.map(\.value)
    var chosen: [Int] = []
    while chosen.count < count, queues.contains(where: { !$0.isEmpty }) {
      for place in queues.indices where !queues[place].isEmpty && chosen.count < count {
        chosen.append(queues[place].removeLast())
      }
    }
    return chosen.sorted()
  }

  private static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }

  private static func deviation(_ values: [Double]) -> Double {
    let middle = mean(values)
    return (values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(max(1, values.count - 1)))
      .squareRoot()
  }
}

/// What rows are centred at and divided by.
struct ProbeScaling {
  private let centre: [Float]
  private let factor: Float

  init(_ rows: Tensor, _ training: [Int]) {
    let width = rows.shape[1]
    let values = rows.values
    var centre = [Double](repeating: 0, count: width)
    for row in training {
      for column in 0..<width { centre[column] += Double(values[row * width + column]) }
    }
    let share = 1 / Double(max(1, training.count))
    for column in 0..<width { centre[column] *= share }
    var squares = 0.0
    for row in training {
      for column in 0..<width {
        let distance = Double(values[row * width + column]) - centre[column]
        squares += distance * distance
      }
    }
    let root = (squares * share / Double(max(1, width))).squareRoot()
    self.centre = centre.map { Float($0) }
    factor = root > 0 ? Float(1 / root) : 1
  }

  func applied(to rows: Tensor) -> Tensor {
    var result = rows
    let width = centre.count
    result.withMutableValues { values in
      for place in values.indices { values[place] = (values[place] - centre[place % width]) * factor }
    }
    return result
  }
}

extension Tensor {
  /// Some rows of a matrix.
  func selected(_ rows: [Int]) -> Tensor {
    let width = shape[1]
    return withValues { values in
      Tensor(
        rows.flatMap { row in (0..<width).map { values[row * width + $0] } }, shape: [rows.count, width])
    }
  }
}
