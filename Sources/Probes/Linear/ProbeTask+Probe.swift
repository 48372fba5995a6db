// One place of a model asked what it knows.

import Tensors

extension ProbeTask {
  /// Probes rows, one for each example.
  ///
  /// Rows are centred and multiplied by one number, both of the training rows. C is the one whose log-loss is least over
  /// parts of the training examples, each held out in turn.
  /// - Precondition: each class has examples among those that train; `split` deals them out evenly.
  public func probe(_ rows: DoubleMatrix, _ options: ProbeOptions = ProbeOptions()) -> ProbeResult {
    precondition(rows.rows == labels.count, "\(rows.rows) rows for \(labels.count) examples")
    let split = split(options)
    let scaling = RowScaling(of: rows.selected(split.training))
    let training = ProbeRows(scaling.applied(to: rows.selected(split.training)), selected(split.training))
    let held = ProbeRows(scaling.applied(to: rows.selected(split.held)), selected(split.held))
    let space = RowSpace(spannedBy: training.rows)
    let reduced = (training: training.inCoordinates(of: space), held: held.inCoordinates(of: space))

    let strength = reduced.training.chosenStrength(options).strength
    let logistic = reduced.training.logistic(strength, tolerance: 1e-6)
    let bayes = GaussianNaiveBayes(training.rows, training.task.labels, classCount: classCount)
    let labels = held.task.labels
    let right = zip(logistic.classes(reduced.held.rows), labels).map { $0 == $1 }
    let bayesRight = zip(bayes.classes(held.rows), labels).map { $0 == $1 }
    let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    let fit = space.widened(logistic)
    return ProbeResult(
      accuracy: share(right), interval: shareInterval(right, groups: held.task.groups), strength: strength,
      bayesAccuracy: share(bayesRight), bayesInterval: shareInterval(bayesRight, groups: held.task.groups),
      controlAccuracy: controlAccuracy(training: reduced.training, held: reduced.held, strength, options),
      majority: Double(counts.values.max() ?? 0) / Double(max(1, labels.count)),
      directions: (0..<classCount).map { fit.direction(ofClass: $0) },
      curve: LearningCurve(
        training: training, held: held, space: space, strength: strength, options))
  }

  private func share(_ right: [Bool]) -> Double {
    Double(right.count { $0 }) / Double(max(1, right.count))
  }

  /// Logistic regression on classes drawn for each kind of example, as often as the real ones.
  private func controlAccuracy(
    training: ProbeRows, held: ProbeRows, _ strength: Double, _ options: ProbeOptions
  ) -> Double? {
    guard let kinds, options.controlDraws > 0, let trainingKinds = training.task.kinds,
      let heldKinds = held.task.kinds
    else { return nil }
    let names = Set(kinds).sorted()
    var generator = SeededGenerator(seed: options.seed, stream: "control task")
    var accuracies: [Double] = []
    for _ in 0..<options.controlDraws {
      // Classes in the shares that the real ones have.
      var drawn: [Int: Int] = [:]
      for name in names { drawn[name] = labels[generator.index(below: labels.count)] }
      var control = training
      control.task.labels = trainingKinds.map { drawn[$0] ?? 0 }
      guard Set(control.task.labels).count > 1 else { continue }
      let fit = control.logistic(strength, tolerance: 1e-4)
      accuracies.append(fit.accuracy(held.rows, heldKinds.map { drawn[$0] ?? 0 }))
    }
    return accuracies.isEmpty ? nil : accuracies.reduce(0, +) / Double(accuracies.count)
  }
}

/// Rows with what is asked of them.
struct ProbeRows: Sendable {
  var rows: DoubleMatrix
  var task: ProbeTask

  init(_ rows: DoubleMatrix, _ task: ProbeTask) {
    self.rows = rows
    self.task = task
  }

  func inCoordinates(of space: RowSpace) -> ProbeRows { ProbeRows(space.coordinates(of: rows), task) }

  func selected(_ examples: [Int]) -> ProbeRows {
    ProbeRows(rows.selected(examples), task.selected(examples))
  }

  func logistic(
    _ strength: Double, tolerance: Double, startingAt start: LogisticRegression? = nil
  ) -> LogisticRegression {
    // A rough fit, of which there are many, need not reach its end.
    LogisticRegression(
      rows, task.labels, classCount: task.classCount, strength: strength, tolerance: tolerance,
      iterations: tolerance >= 1e-4 ? 100 : 1000, startingAt: start)
  }

  /// The C whose log-loss over parts held out in turn is least, of equal ones the smallest; and the mean loss of each.
  func chosenStrength(_ options: ProbeOptions, tolerance: Double = 1e-4) -> (
    strength: Double, losses: [Double]
  ) {
    let folds = Folds(
      groups: task.groups, labels: task.labels, count: options.foldCount, seed: options.seed &+ 1)
    return chosenStrength(options.strengths, parts: folds, count: options.foldCount, tolerance: tolerance)
  }

  func chosenStrength(
    _ strengths: [Double], parts: Folds, count: Int, tolerance: Double
  ) -> (strength: Double, losses: [Double]) {
    var losses = [Double](repeating: 0, count: strengths.count)
    for part in 0..<count {
      let split = parts.split(holdingOut: [part])
      guard !split.training.isEmpty, !split.held.isEmpty else { continue }
      let (fit, test) = (selected(split.training), selected(split.held))
      var last: LogisticRegression?
      for (place, strength) in strengths.enumerated() {
        let model = fit.logistic(strength, tolerance: tolerance, startingAt: last)
        losses[place] += model.logLoss(test.rows, test.task.labels) / Double(task.labels.count)
        last = model
      }
    }
    var best = 0
    for place in losses.indices where losses[place] < losses[best] { best = place }
    return (strengths.isEmpty ? 1 : strengths[best], losses)
  }
}
