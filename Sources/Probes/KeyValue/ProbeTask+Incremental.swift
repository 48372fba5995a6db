// Classes learned one after the other, and what is left of the first ones in the end.

import Tensors

/// What was learned class after class.
public struct IncrementalResult: Sendable, Equatable {
  /// One probe on its way through the phases.
  public struct Course: Sendable, Equatable {
    /// After each phase, the share of held-out examples that are found among those of all classes seen so far.
    public var accuracies: [Double]
    /// The mean over classes that were learned before the last phase of how much accuracy fell from its best to the end
    /// (Chaudhry et al. 2018, arXiv 1801.10112); nil where there is one phase.
    public var forgetting: Double?
    /// The 95 % interval of the last accuracy.
    public var interval: ClosedRange<Double>

    /// The accuracy in the end.
    public var accuracy: Double { accuracies.last ?? 0 }
  }

  /// The classes of each phase.
  public var phases: [[Int]]
  /// The bottleneck.
  public var keyValue: Course
  /// A linear probe that sees the same examples in the same phases.
  public var linear: Course
  /// Logistic regression on all examples at once.
  public var jointAccuracy: Double
  /// The bottleneck on all examples at once.
  public var jointKeyValueAccuracy: Double
  /// The share of the commonest class among held-out examples.
  public var majority: Double
  /// The keys that decided most of the held-out examples, whose rows are indices of the task's examples.
  public var keys: [DecidingKey]
}

extension ProbeTask {
  /// Learns classes in phases, in their order, with examples of a phase's own classes only.
  ///
  /// Keys are set by all training rows without their classes, as an encoder's data would set them.
  /// - Parameter classesPerPhase: of the last phase perhaps fewer.
  public func learnIncrementally(
    _ rows: DoubleMatrix, classesPerPhase: Int, _ settings: KeyValueSettings, _ options: ProbeOptions
  ) -> IncrementalResult {
    precondition(rows.rows == labels.count && classesPerPhase > 0)
    let split = split(options)
    let scaling = RowScaling(of: rows.selected(split.training))
    let (training, held) = (
      scaling.applied(to: rows.selected(split.training)), scaling.applied(to: rows.selected(split.held))
    )
    let (own, heldTask) = (selected(split.training), selected(split.held))
    let phases = stride(from: 0, to: classCount, by: classesPerPhase).map { first in
      Array(first..<min(classCount, first + classesPerPhase))
    }
    let empty = KeyValueBottleneck(keysOf: training, classCount: classCount, settings)
    var bottleneck = empty
    var linear = IncrementalLinear(
      width: rows.columns, classCount: classCount, epochs: settings.epochs, seed: settings.seed)
    var (found, linearFound): ([[Bool]], [[Bool]]) = ([], [])
    for phase in phases {
      let members = own.labels.indices.filter { phase.contains(own.labels[$0]) }
      let (part, partLabels) = (training.selected(members), members.map { own.labels[$0] })
      bottleneck.learn(part, partLabels)
      linear.learn(part, partLabels)
      found.append(zip(bottleneck.classes(held), heldTask.labels).map { $0 == $1 })
      linearFound.append(zip(linear.classes(held), heldTask.labels).map { $0 == $1 })
    }
    var joint = empty
    joint.learn(training, own.labels)
    let rowsOfTask = ProbeRows(training, own)
    let strength = rowsOfTask.chosenStrength(options).strength
    let counts = Dictionary(heldTask.labels.map { ($0, 1) }, uniquingKeysWith: +)
    return IncrementalResult(
      phases: phases, keyValue: Self.course(found, heldTask, phases),
      linear: Self.course(linearFound, heldTask, phases),
      jointAccuracy: rowsOfTask.logistic(strength, tolerance: 1e-5).accuracy(held, heldTask.labels),
      jointKeyValueAccuracy: joint.accuracy(held, heldTask.labels),
      majority: Double(counts.values.max() ?? 0) / Double(max(1, heldTask.labels.count)),
      keys: bottleneck.decidingKeys(held, count: 10).map { key in
        var key = key
        key.rows = key.rows.map { split.held[$0] }
        return key
      })
  }

  /// - Parameter right: `[phase][held-out example]`.
  private static func course(
    _ right: [[Bool]], _ held: ProbeTask, _ phases: [[Int]]
  ) -> IncrementalResult.Course {
    func share(_ right: [Bool], _ classes: Set<Int>) -> Double? {
      let members = held.labels.indices.filter { classes.contains(held.labels[$0]) }
      return members.isEmpty ? nil : Double(members.count { right[$0] }) / Double(members.count)
    }
    var seen: Set<Int> = []
    var accuracies: [Double] = []
    for (phase, right) in zip(phases, right) {
      seen.formUnion(phase)
      accuracies.append(share(right, seen) ?? 0)
    }
    var losses: [Double] = []
    for (place, phase) in phases.dropLast().enumerated() {
      for label in phase {
        let own = right[place...].compactMap { share($0, [label]) }
        if let best = own.max(), let last = own.last { losses.append(best - last) }
      }
    }
    return IncrementalResult.Course(
      accuracies: accuracies,
      forgetting: losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count),
      interval: shareInterval(right.last ?? [], groups: held.groups))
  }
}
