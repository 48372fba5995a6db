// What probes found, as tables, a summary and lines.

import Files
import Probes
import Recordings
import Reports

/// Results of probes for files and for a terminal.
struct ProbeReport {
  let question: ProbeQuestion
  let found: [PlaceProbe]
  let options: ProbeOptions

  /// The best places by accuracy, of equal ones the more selective.
  func best(_ count: Int) -> [PlaceProbe] {
    Array(
      found.enumerated().sorted { left, right in
        let (a, b) = (left.element.result, right.element.result)
        if a.accuracy != b.accuracy { return a.accuracy > b.accuracy }
        let (x, y) = (a.selectivity ?? 0, b.selectivity ?? 0)
        return x != y ? x > y : left.offset < right.offset
      }.map(\.element).prefix(count))
  }

  /// One row a place.
  func probesTable() -> CSVDocument {
    var document = CSVDocument(
      header: Place.header + [
        "prompts", "majority", "accuracy", "accuracy_low", "accuracy_high", "c", "bayes_accuracy",
        "bayes_accuracy_low", "bayes_accuracy_high", "control_accuracy", "selectivity", "lead", "crossing",
      ])
    for probe in found {
      let result = probe.result
      let (lead, crossing) = Self.words(for: result.curve.lead)
      document.append(
        probe.place.cells + [
          .integer(probe.prompts), .number(result.majority), .number(result.accuracy),
          .number(result.interval.lowerBound), .number(result.interval.upperBound), .number(result.strength),
          .number(result.bayesAccuracy), .number(result.bayesInterval.lowerBound),
          .number(result.bayesInterval.upperBound), result.controlAccuracy.map { .number($0) } ?? .empty,
          result.selectivity.map { .number($0) } ?? .empty, lead.isEmpty ? .empty : .text(lead),
          crossing.map { .integer($0) } ?? .empty,
        ])
    }
    return document
  }

  private static func words(for lead: LearningCurve.Lead?) -> (lead: String, crossing: Int?) {
    switch lead {
    case .crosses(let count): ("crosses", count)
    case .logistic: ("logistic", nil)
    case .bayes: ("bayes", nil)
    case nil: ("", nil)
    }
  }

  /// One row a place and number of training prompts.
  func curvesTable() -> CSVDocument {
    var document = CSVDocument(
      header: Place.header + [
        "training_prompts", "accuracy", "accuracy_deviation", "bayes_accuracy", "bayes_accuracy_deviation",
      ])
    for probe in found {
      for point in probe.result.curve.points {
        document.append(
          probe.place.cells + [
            .integer(point.examples), .number(point.accuracy), .number(point.deviation),
            .number(point.bayesAccuracy), .number(point.bayesDeviation),
          ])
      }
    }
    return document
  }

  /// The mean curve over heads.
  private var headCurve: LearningCurve {
    LearningCurve(meanOf: found.filter { $0.place.kind == .head }.map(\.result.curve))
  }

  /// summary.json.
  func summary() throws -> JSONValue {
    let (recording, target) = (question.recording, question.target)
    let sizes = question.classSizes
    let split = ProbeTask(
      labels: target.labels, classCount: target.classes.count,
      groups: target.prompts.map { question.fields.groups[$0] }
    ).split(options)
    let (lead, crossing) = Self.words(for: headCurve.lead)
    var members = [
      JSONMember("schema_version", .integer(1)),
      JSONMember("created_by", .string("headlamp \(headlampVersion) probe")),
      JSONMember("recording", .string(recording.path)),
      JSONMember("recording_sha256", .string(try recording.sha256())),
      JSONMember("task", .string(recording.description.task)),
      JSONMember("model", .string(recording.description.model)),
      JSONMember("model_sha256", .string(recording.description.modelSHA256)),
      JSONMember("position", .string(recording.description.position.text)),
      JSONMember("target", .string(target.field)),
      JSONMember(
        "classes",
        .array(
          target.classes.indices.map { index in
            .object([
              JSONMember("class", .string(question.className(index))),
              JSONMember("prompts", .integer(sizes[index])),
            ])
          })),
      JSONMember("prompts", .integer(target.prompts.count)),
      JSONMember("training_prompts", .integer(split.training.count)),
      JSONMember("held_out_prompts", .integer(split.held.count)),
      JSONMember("rare_prompts_left_out", .integer(target.rare.prompts)),
      JSONMember("prompts_without_value", .integer(target.withoutValue)),
      JSONMember("control", .string(question.control)),
      JSONMember("strengths", .array(options.strengths.map { .number($0) })),
      JSONMember("places", .integer(found.count)),
      JSONMember("lead_over_heads", lead.isEmpty ? .null : .string(lead)),
      JSONMember("crossing_over_heads", crossing.map { .integer($0) } ?? .null),
      JSONMember("seed", Int(exactly: options.seed).map { .integer($0) } ?? .string("\(options.seed)")),
    ]
    members.append(
      JSONMember(
        "best",
        .array(
          best(10).map { probe in
            let result = probe.result
            return .object([
              JSONMember("place", .string(probe.place.name)),
              JSONMember("accuracy", .number(result.accuracy)),
              JSONMember(
                "interval_95",
                .array([.number(result.interval.lowerBound), .number(result.interval.upperBound)])),
              JSONMember("bayes_accuracy", .number(result.bayesAccuracy)),
              JSONMember("majority", .number(result.majority)),
              JSONMember("selectivity", result.selectivity.map { .number($0) } ?? .null),
            ])
          })))
    return .object(members)
  }

  /// The best places as lines for a terminal.
  var lines: [String] {
    let shown = best(10)
    let width = max(5, shown.map(\.place.name.count).max() ?? 0)
    var lines = [
      "place".padded(to: width) + "  accuracy [95 %]       naive Bayes  selectivity  C      Bayes ahead below"
    ]
    for probe in shown {
      let result = probe.result
      let interval =
        "[\(result.interval.lowerBound.text(decimals: 2)), \(result.interval.upperBound.text(decimals: 2))]"
      let ahead =
        switch result.curve.lead {
        case .crosses(let count): "\(count) prompts"
        case .logistic: "nowhere"
        case .bayes: "\(result.curve.points.last?.examples ?? 0) and more"
        case nil: ""
        }
      lines.append(
        probe.place.name.padded(to: width) + "  "
          + (result.accuracy.text(decimals: 3) + " " + interval).padded(to: 20) + "  "
          + result.bayesAccuracy.text(decimals: 3).padded(to: 11) + "  "
          + (result.selectivity?.text(decimals: 3) ?? "").padded(to: 11) + "  "
          + result.strength.text(significant: 3).padded(to: 5) + "  " + ahead)
    }
    let majority = shown.first?.result.majority ?? 0
    let above = found.count { $0.result.interval.lowerBound > $0.result.majority }
    lines.append(
      "\(above) of \(found.count) places are above the commonest class (\(majority.text(decimals: 3))) by their interval"
    )
    switch headCurve.lead {
    case .crosses(let count):
      lines.append("mean over heads: naive Bayes is ahead below \(count) training prompts")
    case .logistic: lines.append("mean over heads: naive Bayes is nowhere ahead")
    case .bayes: lines.append("mean over heads: naive Bayes is ahead with all training prompts")
    case nil: break
    }
    return lines
  }
}
