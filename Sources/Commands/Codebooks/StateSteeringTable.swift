// States of a machine that are set by forcing their codes, as a table.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// What headlamp steer --task does.
enum StateSteeringTable {
  /// Sets every state in turn.
  static func steer(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    let name = try arguments.required(SteerCommand.task)
    let seed = try arguments.required(SteerCommand.seed)
    let machine = try CodebookTexts.machine(task: name, modelFolder: folder)
    let states = machine.machine.source.states
    // One state more is read behind a walk.
    let fitting = (model.configuration.context - 1) / machine.machine.source.digits - 1
    let length = arguments[SteerCommand.length] ?? max(1, min(10, fitting))
    guard length <= fitting else {
      throw UsageError.invalid(
        "--length \(length) is more than the \(fitting) states that the model can read")
    }
    console.progress("finding codes")
    // The walks that codes are found on have a seed of their own.
    let found = machine.walks(400, length: max(2, length), seed: seed &+ 1_000_003)
    let search = CodeSearch(
      try CodeTrace(model, found.map(machine.tokens)), machine.labels(of: found))
    let best = Dictionary(
      uniqueKeysWithValues: search.matches().enumerated().compactMap { state, match in
        match.code.map { (state, $0) }
      })
    let walks =
      length == 1
      ? (0..<states).map { [$0] }
      : machine.walks(try arguments.required(SteerCommand.walks), length: length, seed: seed)
    let accuracy = try machine.transitionAccuracy(of: walks, model)
    let results = try machine.steer(best: best, walks: walks, model) {
      console.progress("steering", $0, of: states, "states")
    }
    console.endProgress()
    try show(results, accuracy, machine, ForcedPart.all(of: model.configuration), arguments, console)
  }

  private static func show(
    _ results: [StateSteering], _ accuracy: [Double], _ machine: TokenizedStateMachine,
    _ parts: [ForcedPart], _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var document = CSVDocument(
      header: [
        "state", "forced", "code", "walks", "success", "nearest_of_all", "valid_probability",
        "jensen_shannon_divergence",
      ])
    for result in results {
      document.append([
        .text(machine.machine.name(of: result.state).joined()), .text(result.part.description),
        result.code.map { .text($0.description) } ?? .empty, .integer(result.walks), .number(result.success),
        .number(result.nearestOfAll),
        .number(result.validProbability), .number(result.divergence),
      ])
    }
    let states = machine.machine.source.states
    let summaries = parts.map { part in SteeringSummary(part, results.filter { $0.part == part }) }
    console.print(
      "transition accuracy of the model after \(accuracy.count) walks: "
        + "\((100 * average(accuracy)).text(decimals: 1)) %")
    console.print(
      "forced      walks steered  states >= 90 %  nearest of all  valid next digit  JS divergence")
    for summary in summaries {
      console.print(
        summary.part.description.padded(to: 10)
          + "\((100 * summary.success).text(decimals: 1)) %".leftPadded(to: 15)
          + "\(summary.steered) of \(states)".leftPadded(to: 16)
          + "\((100 * summary.nearest).text(decimals: 1)) %".leftPadded(to: 16)
          + "\((100 * summary.valid).text(decimals: 1)) %".leftPadded(to: 18)
          + summary.divergence.text(decimals: 3).leftPadded(to: 15))
    }
    console.result(
      .object([
        JSONMember("transition_accuracy", .number(average(accuracy))), JSONMember("states", .integer(states)),
        JSONMember("forced", .array(summaries.map(\.json))),
      ]))
    try SteerCommand.write(document, arguments, console)
  }
}

/// What forcing one part of every state's codes does.
private struct SteeringSummary {
  let part: ForcedPart
  let success: Double
  let steered: Int
  let nearest: Double
  let valid: Double
  let divergence: Double

  init(_ part: ForcedPart, _ results: [StateSteering]) {
    self.part = part
    success = average(results.map(\.success))
    steered = results.count { $0.success >= 0.9 }
    nearest = average(results.map(\.nearestOfAll))
    valid = average(results.map(\.validProbability))
    divergence = average(results.map(\.divergence))
  }

  var json: JSONValue {
    .object([
      JSONMember("part", .string(part.description)), JSONMember("walks_steered", .number(success)),
      JSONMember("states_steered", .integer(steered)), JSONMember("nearest_of_all", .number(nearest)),
      JSONMember("valid_probability", .number(valid)),
      JSONMember("jensen_shannon_divergence", .number(divergence)),
    ])
  }
}
