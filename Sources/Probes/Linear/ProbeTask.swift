// What is asked of a place of a model: examples with classes, groups and kinds.

/// Examples and what is asked of them.
public struct ProbeTask: Sendable, Equatable {
  /// The class of each example, from 0.
  public var labels: [Int]
  /// The number of classes.
  public var classCount: Int
  /// What stays on one side of a split, such as a prompt and its negative.
  public var groups: [Int]
  /// What kind each example is of, such as its token: the control task draws a class for each kind. Nil where there is
  /// no such task.
  public var kinds: [Int]?

  /// A task.
  /// - Precondition: labels, groups and kinds are equally many, and each class is below `classCount`, of which there are
  ///   two at least.
  public init(labels: [Int], classCount: Int, groups: [Int], kinds: [Int]? = nil) {
    precondition(labels.count == groups.count && (kinds ?? labels).count == labels.count)
    precondition(classCount >= 2 && labels.allSatisfy { (0..<classCount).contains($0) })
    self.labels = labels
    self.classCount = classCount
    self.groups = groups
    self.kinds = kinds
  }

  /// The task of some examples.
  public func selected(_ examples: [Int]) -> ProbeTask {
    ProbeTask(
      labels: examples.map { labels[$0] }, classCount: classCount, groups: examples.map { groups[$0] },
      kinds: kinds.map { kinds in examples.map { kinds[$0] } })
  }

  /// Examples that train, and examples that are held out.
  public func split(_ options: ProbeOptions) -> (training: [Int], held: [Int]) {
    Folds(groups: groups, labels: labels, count: 10, seed: options.seed)
      .split(holdingOut: Set(0..<options.heldTenths))
  }
}

/// How places are probed.
public struct ProbeOptions: Sendable, Equatable {
  /// Tenths of the groups that are held out.
  public var heldTenths = 3
  /// C's of logistic regression that are tried, from the smallest.
  public var strengths = [1e-3, 1e-2, 0.1, 1, 10, 100]
  /// Parts of the training examples, each held out in turn to choose C.
  public var foldCount = 5
  /// Draws of training examples at each point of a learning curve; 0 for no curve.
  public var curveDraws = 5
  /// Draws of classes for the control task.
  public var controlDraws = 3
  /// Seed of splits and draws.
  public var seed: UInt64 = 0

  /// The usual options.
  public init() {}
}

/// What probes of one place found.
public struct ProbeResult: Sendable, Equatable {
  /// The share of held-out examples that logistic regression gets right.
  public var accuracy: Double
  /// Its 95 % interval.
  public var interval: ClosedRange<Double>
  /// The C that held-out parts of the training examples chose.
  public var strength: Double
  /// The same share for Gaussian naive Bayes.
  public var bayesAccuracy: Double
  /// Its interval.
  public var bayesInterval: ClosedRange<Double>
  /// Logistic regression on the control task, a mean over draws; nil where there is no such task.
  public var controlAccuracy: Double?
  /// The share of the commonest class among held-out examples.
  public var majority: Double
  /// The direction in which each class's score rises `[class][width]`, in the units of the rows; of two classes they are
  /// opposite.
  public var directions: [[Double]]
  /// Accuracies by the number of training examples.
  public var curve: LearningCurve

  /// Accuracy above that of the control task (Hewitt & Liang 2019).
  public var selectivity: Double? { controlAccuracy.map { accuracy - $0 } }
}
