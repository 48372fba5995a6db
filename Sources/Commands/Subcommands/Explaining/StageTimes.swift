// How long each part of a run took.

import Files

/// Seconds by stage, in order.
struct StageTimes {
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant
  private(set) var stages: [(name: String, seconds: Double)] = []

  /// Starts the first stage.
  init() { last = clock.now }

  /// Ends a stage and starts the next.
  mutating func finish(_ name: String) {
    let now = clock.now
    stages.append((name, (now - last).seconds))
    last = now
  }

  /// Seconds by name.
  var report: JSONValue {
    .object(stages.map { JSONMember($0.name + "_seconds", .number($0.seconds)) })
  }
}
