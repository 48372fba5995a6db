// How long each part of a run took.

import Files

/// Seconds by stage, in order.
struct StageTimes {
  /// The option that asks for them.
  static let option = Flag(
    "timings", help: "print how long each part took, as a JSON object on the last line")

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

  /// The stages in words: "load 0.07 s, record 5.6 s".
  var text: String {
    stages.map { "\($0.name) \($0.seconds.text(significant: 3)) s" }.joined(separator: ", ")
  }

  /// Seconds by name.
  var report: JSONValue {
    .object(stages.map { JSONMember($0.name + "_seconds", .number($0.seconds)) })
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (whole, rest) = components
    return Double(whole) + Double(rest) * 1e-18
  }
}
