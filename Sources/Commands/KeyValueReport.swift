// Key-value probes of a recording, as tables, a summary and lines.

import Files
import Probes
import Recordings
import Reports

/// Results of learning classes one after the other.
struct KeyValueReport {
  let question: ProbeQuestion
  /// In the order of places.
  let found: [(place: Place, prompts: [Int], labels: [Int], result: IncrementalResult)]
  let settings: KeyValueSettings

  /// Learns at every place.
  init(
    _ question: ProbeQuestion, _ probes: PlaceProbes, classesPerPhase: Int, _ settings: KeyValueSettings,
    _ options: ProbeOptions, progress: (_ done: Int, _ total: Int) throws -> Void
  ) throws {
    self.question = question
    self.settings = settings
    let results = try probes.map(progress: progress) { _, task, rows in
      task.learnIncrementally(rows, classesPerPhase: classesPerPhase, settings, options)
    }
    found = zip(probes.places, results).map { place, result in
      let asked = probes.task(at: place.position)
      return (place, asked.prompts, asked.task.labels, result)
    }
  }

  private var best: [Int] {
    found.indices.sorted { left, right in
      let (a, b) = (found[left].result.keyValue.accuracy, found[right].result.keyValue.accuracy)
      return a != b ? a > b : left < right
    }
  }

  /// One row a place.
  func placesTable() -> CSVDocument {
    var document = CSVDocument(
      header: Place.header + [
        "prompts", "majority", "accuracy", "accuracy_low", "accuracy_high", "forgetting", "joint_accuracy",
        "linear_accuracy", "linear_accuracy_low", "linear_accuracy_high", "linear_forgetting",
        "joint_linear_accuracy",
      ])
    func cells(_ course: IncrementalResult.Course) -> [CSVCell] {
      [
        .number(course.accuracy), .number(course.interval.lowerBound), .number(course.interval.upperBound),
        course.forgetting.map { .number($0) } ?? .empty,
      ]
    }
    for place in found {
      let result = place.result
      document.append(
        place.place.cells + [.integer(place.prompts.count), .number(result.majority)] + cells(result.keyValue)
          + [.number(result.jointKeyValueAccuracy)] + cells(result.linear) + [.number(result.jointAccuracy)])
    }
    return document
  }

  /// One row a place and phase.
  func phasesTable() -> CSVDocument {
    var document = CSVDocument(header: Place.header + ["phase", "classes", "accuracy", "linear_accuracy"])
    for place in found {
      for (phase, classes) in place.result.phases.enumerated() {
        document.append(
          place.place.cells + [
            .integer(phase + 1), .text(classes.map { question.className($0) }.joined(separator: " ")),
            .number(place.result.keyValue.accuracies[phase]), .number(place.result.linear.accuracies[phase]),
          ])
      }
    }
    return document
  }

  /// The keys that decided, of the ten best places.
  func keysTable() -> CSVDocument {
    var document = CSVDocument(
      header: Place.header + [
        "rank", "codebook", "key", "class", "share_of_margin", "prompts", "prompts_of_class", "first_prompts",
      ])
    for index in best.prefix(10) {
      let place = found[index]
      for (rank, key) in place.result.keys.enumerated() {
        document.append(
          place.place.cells + [
            .integer(rank + 1), .integer(key.codebook), .integer(key.key),
            .text(question.className(key.label)),
            .number(key.share), .integer(key.rows.count),
            .integer(key.rows.count { place.labels[$0] == key.label }),
            .text(key.rows.prefix(5).map { "\(place.prompts[$0])" }.joined(separator: " ")),
          ])
      }
    }
    return document
  }

  func summary(seed: UInt64) throws -> JSONValue {
    let (recording, target) = (question.recording, question.target)
    let phases = found.first?.result.phases ?? []
    return .object([
      JSONMember("schema_version", .integer(1)),
      JSONMember("created_by", .string("headlamp \(headlampVersion) probe")),
      JSONMember("probe", .string("key-value")), JSONMember("recording", .string(recording.path)),
      JSONMember("recording_sha256", .string(try recording.sha256())),
      JSONMember("task", .string(recording.description.task)),
      JSONMember("model", .string(recording.description.model)),
      JSONMember("model_sha256", .string(recording.description.modelSHA256)),
      JSONMember("position", .string(recording.description.position.text)),
      JSONMember("target", .string(target.field)), JSONMember("prompts", .integer(target.prompts.count)),
      JSONMember(
        "phases",
        .array(phases.map { .array($0.map { .string(question.className($0)) }) })),
      JSONMember("codebooks", .integer(settings.codebooks)), JSONMember("keys", .integer(settings.keys)),
      JSONMember("key_width", .integer(settings.keyWidth)), JSONMember("epochs", .integer(settings.epochs)),
      JSONMember("places", .integer(found.count)),
      JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
      JSONMember(
        "best",
        .array(
          best.prefix(10).map { index in
            let result = found[index].result
            return .object([
              JSONMember("place", .string(found[index].place.name)),
              JSONMember("accuracy", .number(result.keyValue.accuracy)),
              JSONMember("forgetting", result.keyValue.forgetting.map { .number($0) } ?? .null),
              JSONMember("linear_accuracy", .number(result.linear.accuracy)),
              JSONMember("linear_forgetting", result.linear.forgetting.map { .number($0) } ?? .null),
              JSONMember("joint_linear_accuracy", .number(result.jointAccuracy)),
            ])
          })),
    ])
  }

  /// The best places, and the keys that decided at the best of them.
  var lines: [String] {
    let shown = Array(best.prefix(10))
    let width = max(5, shown.map { found[$0].place.name.count }.max() ?? 0)
    let phaseCount = found.first?.result.phases.count ?? 0
    var lines = [
      "classes in \(phaseCount) phases, one after the other",
      "place".padded(to: width) + "  key-value [95 %]      forgot  at once  linear  forgot  at once",
    ]
    func share(_ value: Double?) -> String { (value?.text(decimals: 3) ?? "").padded(to: 6) }
    for index in shown {
      let result = found[index].result
      let interval =
        "[\(result.keyValue.interval.lowerBound.text(decimals: 2)), "
        + "\(result.keyValue.interval.upperBound.text(decimals: 2))]"
      lines.append(
        found[index].place.name.padded(to: width) + "  "
          + (result.keyValue.accuracy.text(decimals: 3) + " " + interval).padded(to: 20) + "  "
          + share(result.keyValue.forgetting) + "  " + share(result.jointKeyValueAccuracy) + "   "
          + share(result.linear.accuracy) + "  " + share(result.linear.forgetting) + "  "
          + share(result.jointAccuracy))
    }
    func mean(_ value: (IncrementalResult) -> Double) -> String {
      (found.reduce(0.0) { $0 + value($1.result) } / Double(max(1, found.count))).text(decimals: 3)
    }
    lines.append(
      "mean over \(found.count) places: key-value \(mean { $0.keyValue.accuracy }), linear "
        + "\(mean { $0.linear.accuracy }); at once \(mean { $0.jointKeyValueAccuracy }) and \(mean { $0.jointAccuracy }); "
        + "the commonest class \(mean { $0.majority })")
    if let first = shown.first {
      for key in found[first].result.keys.prefix(3) {
        let own = key.rows.count { found[first].labels[$0] == key.label }
        lines.append(
          "\(found[first].place.name): key \(key.key) of codebook \(key.codebook) speaks for "
            + "\(question.className(key.label)): \(percent(key.share)) of all margins, chosen by \(key.rows.count) "
            + "held-out prompts, \(own) of them of that class")
      }
    }
    return lines
  }

  /// Writes the tables and the summary.
  func write(to folder: String, seed: UInt64) throws {
    try placesTable().write(to: folder + "/key-value.csv")
    try phasesTable().write(to: folder + "/phases.csv")
    try keysTable().write(to: folder + "/keys.csv")
    try writeFile(try summary(seed: seed).text(), to: folder + "/summary.json")
  }
}
