// A measured ground truth, and how it gets into a task's spec.

import Files

extension HeadAblation {
  /// The heads whose effect is at least `threshold` in size, with an interval that leaves out zero.
  /// - Parameters:
  ///   - name: the name of the truth.
  ///   - madeBy: how it was made; the measures of this run are added.
  public func truth(
    named name: String, model: String, threshold: Double, seed: UInt64, madeBy: [JSONMember]
  ) -> GroundTruth {
    let effects = effects(seed: seed).map(\.rounded)
    let heads = effects.filter { abs($0.effect) >= threshold && ($0.low > 0 || $0.high < 0) }.map(\.head)
    let measures = [
      JSONMember("prompts", .integer(baseline.count)), JSONMember("metric", .string(metric.rawValue)),
      JSONMember("replacement", .string(replacement.rawValue)),
      JSONMember("mean_margin", .number(rounded(baselineMargin))),
      JSONMember("accuracy", .number(rounded(accuracy))),
    ]
    return GroundTruth(
      name: name, model: model, layers: layers, headsPerLayer: headsPerLayer,
      source: "measured by 'headlamp ablate': each head replaced in turn",
      notes: "An effect is the share of the mean margin that is lost when the head is replaced; "
        + "intervals are 95 % over prompts.",
      groups: [GroundTruth.Group(heads: heads)],
      measurement: HeadMeasurement(madeBy: madeBy + measures, threshold: threshold, effects: effects))
  }
}

extension HeadMeasurement.Effect {
  /// The effect to five decimals, which is more than its interval tells.
  fileprivate var rounded: HeadMeasurement.Effect {
    HeadMeasurement.Effect(
      head: head, effect: CircuitDiscovery.rounded(effect), low: CircuitDiscovery.rounded(low),
      high: CircuitDiscovery.rounded(high))
  }
}

private func rounded(_ value: Double) -> Double { (value * 1e5).rounded() / 1e5 }

extension GroundTruth {
  /// Whether it was measured on just this model.
  fileprivate func isOf(_ identity: ModelIdentity) -> Bool {
    measurement?.madeBy.contains {
      $0.key == "model_sha256" && $0.value == .string(identity.weightsSHA256)
    } == true
  }
}

extension TaskSpec {
  /// The ground truth `ablation`, where it was measured on just this model; nil where it was not.
  public func measuredTruth(of identity: ModelIdentity) -> GroundTruth? {
    truths.first { $0.name == "ablation" && $0.isOf(identity) }
  }

  /// The ground truth of one question that was measured on just this model, named as the question; else `ablation`.
  /// - Parameter replacement: `pair` or `mean`.
  public func measuredTruth(of identity: ModelIdentity, replacement: String) -> GroundTruth? {
    truths.first { $0.name == replacement && $0.isOf(identity) } ?? measuredTruth(of: identity)
  }

  /// Adds a ground truth to the spec's file, or replaces the one of its name; the rest stays as it is, laid out
  /// anew.
  /// - Throws: `FileError`, or `TaskError` where the file is no longer a spec.
  public mutating func write(_ truth: GroundTruth) throws {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: readText(at: path))
    } catch let error as JSONSyntaxError {
      throw TaskError.notJSON(path: path, line: error.line, column: error.column, problem: error.problem)
    }
    let text = value.setting("ground_truths") { truths in
      (truths ?? .object([])).setting(truth.name) { _ in truth.jsonValue }
    }.text()
    let updated = try TaskSpec(parsing: text, path: path)
    try writeFile(text, to: path)
    self = updated
  }
}

extension JSONValue {
  /// The object with one member changed, or added at the end; anything else becomes an object with that member.
  fileprivate func setting(_ key: String, to change: (JSONValue?) -> JSONValue) -> JSONValue {
    guard case .object(var members) = self else { return .object([JSONMember(key, change(nil))]) }
    if let place = members.firstIndex(where: { $0.key == key }) {
      members[place].value = change(members[place].value)
    } else {
      members.append(JSONMember(key, change(nil)))
    }
    return .object(members)
  }
}

extension GroundTruth {
  /// The truth as the JSON object it is in a spec, on one line, under its name.
  public var jsonText: String { JSONValue.object([JSONMember(name, jsonValue)]).line }
}
