// Every place of a recording, probed.

import Recordings
import Tensors

/// What probes of one place found, and on how many prompts.
public struct PlaceProbe: Sendable, Equatable {
  /// The place.
  public var place: Place
  /// Prompts that were probed.
  public var prompts: Int
  /// What was found.
  public var result: ProbeResult
}

/// Places of a recording, with what is asked of them.
public struct PlaceProbes: Sendable {
  /// The recording.
  public let recording: Recording
  /// The classes of prompts.
  public let target: ProbeTarget
  /// What belongs together, a number for each prompt of the recording.
  public let groups: [Int]
  /// The kind of each prompt of the recording for the control task; nil for none. Where positions are kept apart, each
  /// position's own token is the kind, where it serves.
  public let kinds: [Int]?
  /// The places.
  public let places: [Place]

  /// All heads and layers of a recording, at every position that it keeps apart and that enough prompts have.
  /// - Parameter positions: how many positions from the end, at most; all unless given.
  /// - Throws: `ProbeError.noPosition` where classes have too few prompts at every position.
  public init(
    _ recording: Recording, _ target: ProbeTarget, groups: [Int], kinds: [Int]?, positions: Int? = nil
  ) throws(ProbeError) {
    self.recording = recording
    self.target = target
    self.groups = groups
    self.kinds = kinds
    let all = RecordedRows.positions(of: recording)
    var kept: [Int?] = [nil]
    if !all.isEmpty {
      kept = all.prefix(positions ?? all.count).filter {
        Self.hasEnough(target, Set(RecordedRows.prompts(of: recording, at: $0)))
      }
      guard !kept.isEmpty else { throw .noPosition(least: ProbeTarget.leastPrompts) }
    }
    let description = recording.description
    places = (0..<description.layers).flatMap { layer in
      kept.flatMap { position in
        (0..<description.heads).map { Place(.head, layer: layer, head: $0, position: position) }
          + [Place(.layer, layer: layer, position: position)]
      }
    }
  }

  private static func hasEnough(_ target: ProbeTarget, _ prompts: Set<Int>) -> Bool {
    var counts = [Int](repeating: 0, count: target.classes.count)
    for (prompt, label) in zip(target.prompts, target.labels) where prompts.contains(prompt) {
      counts[label] += 1
    }
    return counts.allSatisfy { $0 >= ProbeTarget.leastPrompts }
  }

  /// What is asked at a position, and the prompts that it is asked of.
  public func task(at position: Int?) -> (task: ProbeTask, prompts: [Int]) {
    let present = Set(RecordedRows.prompts(of: recording, at: position))
    let chosen = target.prompts.indices.filter { present.contains(target.prompts[$0]) }
    let prompts = chosen.map { target.prompts[$0] }
    let ownKinds = position.flatMap { position -> [Int]? in
      let tokens = prompts.map { prompt -> Int in
        let tokens = recording.examples[prompt].tokens
        return tokens[tokens.count + position]
      }
      let kindCount = Set(tokens).count
      return kindCount >= 2 * target.classes.count && 2 * kindCount <= tokens.count ? tokens : nil
    }
    return (
      ProbeTask(
        labels: chosen.map { target.labels[$0] }, classCount: target.classes.count,
        groups: prompts.map { groups[$0] },
        kinds: ownKinds ?? kinds.map { kinds in prompts.map { kinds[$0] } }),
      prompts
    )
  }

  /// Refuses prompts that cannot be split so that each class has some on both sides.
  /// - Throws: `ProbeError.cannotSplit`.
  public func requireSplits(_ options: ProbeOptions) throws(ProbeError) {
    for position in Set(places.map(\.position)).sorted(by: { ($0 ?? 0) > ($1 ?? 0) }) {
      let task = task(at: position).task
      let split = task.split(options)
      for (index, name) in target.classes.enumerated() {
        for (part, isTraining) in [(split.training, true), (split.held, false)]
        where !part.contains(where: { task.labels[$0] == index }) {
          throw .cannotSplit(field: target.field, name: name, isTraining: isTraining)
        }
      }
    }
  }

  /// Probes all places, those of one layer at once over threads.
  /// - Parameter progress: called with the number of places done, and of all; what it throws ends the work.
  /// - Throws: `RecordingError` where the file is damaged.
  public func run(
    _ options: ProbeOptions, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> [PlaceProbe] {
    try map(progress: progress) { place, task, rows in
      PlaceProbe(place: place, prompts: task.labels.count, result: task.probe(rows, options))
    }
  }

  /// The value of `body` for every place, in order, with what is asked there and a row for each example.
  public func map<Value: Sendable>(
    progress: (_ done: Int, _ total: Int) throws -> Void,
    _ body: @Sendable (Place, ProbeTask, DoubleMatrix) -> Value
  ) throws -> [Value] {
    var rows = RecordedRows(recording)
    var found: [Value] = []
    let tasks = Dictionary(uniqueKeysWithValues: Set(places.map(\.position)).map { ($0, task(at: $0)) })
    for layer in 0..<recording.description.layers {
      let own = places.filter { $0.layer == layer }
      // A few at a time: their rows are copies.
      for start in stride(from: 0, to: own.count, by: 16) {
        try progress(found.count, places.count)
        var work: [(place: Place, task: ProbeTask, rows: Tensor)] = []
        for place in own[start..<min(own.count, start + 16)] {
          guard let asked = tasks[place.position] else { continue }
          work.append((place, asked.task, try rows.rows(place, prompts: asked.prompts)))
        }
        let batch = work
        found += parallelMap(batch.count) { index in
          body(batch[index].place, batch[index].task, DoubleMatrix(batch[index].rows))
        }
      }
    }
    try progress(found.count, places.count)
    return found
  }
}
