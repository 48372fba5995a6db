// Scores of normality, as a table, a summary and lines.

import CircuitDiscovery
import Files
import Probes
import Recordings
import Reports

/// The prompts of one recording with their scores.
struct ScoredPrompts {
  let recording: Recording
  let scores: [Double]
  let pValues: [Double]
  /// The place where each prompt is oddest.
  let oddest: [String]
  let isOdd: [Bool]

  init(_ path: String, _ model: Normality, _ point: WorkingPoint, rate: Double) throws {
    let recording = try Recording(path: path)
    let found = try model.scores(recording, prompts: Array(recording.examples.indices))
    let totals = found.totals
    let spread = point.spread(of: model)
    let threshold = spread.threshold(rate: rate)
    self.recording = recording
    scores = totals
    pValues = totals.map { spread.tail($0) }
    isOdd = totals.map { $0 > threshold }
    oddest = totals.indices.map { prompt in
      // By how far beyond what is usual there, which probabilities cannot say where they are all zero.
      let beyond = model.parts.indices.map { part in
        found.parts[part][prompt] / model.parts[part].spread.threshold(rate: 0.01)
      }
      let best = beyond.indices.reduce(0) { beyond[$1] > beyond[$0] ? $1 : $0 }
      return model.parts[best].place.name
    }
  }

  var oddShare: Double { Double(isOdd.count { $0 }) / Double(max(1, isOdd.count)) }
}

/// What was found by scores.
struct NormalityReport {
  let model: Normality
  let point: WorkingPoint
  let rate: Double
  /// The recording, and one that is known to be odd where there is one.
  let scored: [ScoredPrompts]

  /// How well scores tell the prompts that are known to be odd; nil where there are none.
  var area: Double? {
    get throws {
      guard scored.count == 2 else { return nil }
      return try LabelledScores(
        scored[0].scores + scored[1].scores,
        isTrue: scored[0].scores.map { _ in false } + scored[1].scores.map { _ in true }, name: "--odd"
      ).trapezoidAUC
    }
  }

  /// recording, prompt, label, score, p_value, odd, oddest_place, text.
  func table() -> CSVDocument {
    var document = CSVDocument(header: [
      "recording", "prompt", "label", "score", "p_value", "odd", "oddest_place", "text",
    ])
    for part in scored {
      for (index, example) in part.recording.examples.enumerated() {
        document.append([
          .text(part.recording.path), .integer(index), .integer(example.isPositive ? 1 : 0),
          .number(part.scores[index]), .number(part.pValues[index]), .integer(part.isOdd[index] ? 1 : 0),
          .text(part.oddest[index]), .text(example.prompt),
        ])
      }
    }
    return document
  }

  func summary() throws -> JSONValue {
    let recording = scored[0].recording
    var members = [
      JSONMember("schema_version", .integer(1)),
      JSONMember("created_by", .string("headlamp \(headlampVersion) normality")),
      JSONMember("recording", .string(recording.path)),
      JSONMember("recording_sha256", .string(try recording.sha256())),
      JSONMember("fitted_to_recording_sha256", .string(model.recordingSHA256)),
      JSONMember("fitted_prompts", .integer(model.promptCount)),
      JSONMember("task", .string(recording.description.task)),
      JSONMember("model", .string(recording.description.model)),
      JSONMember("working_point", .string(point.rawValue)), JSONMember("rate", .number(rate)),
      JSONMember("threshold", .number(point.threshold(of: model, rate: rate))),
      JSONMember("prompts", .integer(scored[0].scores.count)),
      JSONMember("odd_prompts", .integer(scored[0].isOdd.count { $0 })),
    ]
    if scored.count == 2, let area = try area {
      members += [
        JSONMember("known_odd_recording", .string(scored[1].recording.path)),
        JSONMember("known_odd_prompts", .integer(scored[1].scores.count)),
        JSONMember("auroc", .number(area)),
        JSONMember("share_of_known_odd_found", .number(scored[1].oddShare)),
      ]
    }
    return .object(members)
  }

  var lines: [String] {
    get throws {
      let first = scored[0]
      let odd = first.isOdd.indices.filter { first.isOdd[$0] }.sorted { first.scores[$0] > first.scores[$1] }
      var lines = [
        "\(odd.count) of \(first.scores.count) prompts are beyond the working point, which \(percent(rate)) of normal "
          + "prompts pass"
      ]
      if !odd.isEmpty { lines.append("prompt  p         oddest at   text") }
      for index in odd.prefix(10) {
        lines.append(
          "\(index)".leftPadded(to: 6) + "  " + first.pValues[index].text(significant: 2).padded(to: 8) + "  "
            + first.oddest[index].padded(to: 10) + "  "
            + first.recording.examples[index].prompt.shortened(to: 60))
      }
      if scored.count == 2, let area = try area {
        lines.append(
          "AUROC \(area.text(decimals: 3)) of the \(scored[1].scores.count) prompts of \(scored[1].recording.path) against "
            + "these; \(percent(scored[1].oddShare)) of them are beyond the working point")
      }
      return lines
    }
  }
}

extension String {
  /// The text on one line, cut where it is longer.
  func shortened(to count: Int) -> String {
    let line = String(map { $0.isNewline ? " " : $0 })
    return line.count > count ? String(line.prefix(count - 1)) + "…" : line
  }
}
