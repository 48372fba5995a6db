// Ground truths in task.json: reading them, and writing one that a tool measured.

import Files

extension GroundTruth {
  private static let fields = [
    "model", "layers", "heads_per_layer", "source", "notes", "heads", "groups", "mlps", "measurement",
  ]

  static func all(_ field: FieldReader?) throws(TaskError) -> [GroundTruth] {
    var truths: [GroundTruth] = []
    for (name, truth) in try field?.members() ?? [] { truths.append(try GroundTruth(name, truth)) }
    return truths
  }

  private init(_ name: String, _ field: FieldReader) throws(TaskError) {
    try field.allowOnly(Self.fields)
    self.name = name
    model = try field.required("model").text()
    layers = try field.required("layers").integer(in: 1...10_000)
    headsPerLayer = try field.required("heads_per_layer").integer(in: 1...10_000)
    source = try field.required("source").text()
    notes = try field.member("notes").map { notes throws(TaskError) in try notes.text() }
    groups = []
    mlps = []
    measurement = nil
    for layer in try field.member("mlps")?.elements() ?? [] {
      mlps.append(try layer.integer(in: 0...layers - 1))
    }
    switch (field.member("heads"), field.member("groups")) {
    case (let heads?, nil): groups = [Group(role: "", heads: try headList(heads))]
    case (nil, let roles?):
      for (role, heads) in try roles.members() {
        groups.append(Group(role: role, heads: try headList(heads)))
      }
    default: throw field.error("either \"heads\" or \"groups\" is needed")
    }
    if let measured = field.member("measurement") { measurement = try measurement(measured) }
  }

  private func headList(_ field: FieldReader) throws(TaskError) -> [HeadIndex] {
    var heads: [HeadIndex] = []
    for element in try field.elements() {
      let pair = try element.elements()
      guard pair.count == 2 else { throw element.error("[layer, head] is needed") }
      let head = HeadIndex(
        layer: try pair[0].integer(in: 0...layers - 1), head: try pair[1].integer(in: 0...headsPerLayer - 1))
      guard !heads.contains(head) else { throw element.error("this head stands there twice") }
      heads.append(head)
    }
    return heads
  }

  private func measurement(_ field: FieldReader) throws(TaskError) -> HeadMeasurement {
    try field.allowOnly(["made_by", "threshold", "effects"])
    guard case .object(let madeBy) = try field.required("made_by").value else {
      throw try field.required("made_by").error("an object is needed")
    }
    var effects: [HeadMeasurement.Effect] = []
    for element in try field.required("effects").elements() {
      let row = try element.elements()
      guard row.count == 5 else { throw element.error("[layer, head, effect, low, high] is needed") }
      let head = HeadIndex(
        layer: try row[0].integer(in: 0...layers - 1), head: try row[1].integer(in: 0...headsPerLayer - 1))
      effects.append(
        HeadMeasurement.Effect(
          head: head, effect: try row[2].number(), low: try row[3].number(), high: try row[4].number()))
    }
    return HeadMeasurement(
      madeBy: madeBy, threshold: try field.required("threshold").number(), effects: effects)
  }

  /// The truth as it stands in a spec.
  var jsonValue: JSONValue {
    var members = [
      JSONMember("model", .string(model)), JSONMember("layers", .integer(layers)),
      JSONMember("heads_per_layer", .integer(headsPerLayer)), JSONMember("source", .string(source)),
    ]
    if let notes { members.append(JSONMember("notes", .string(notes))) }
    if groups.count == 1, groups[0].role.isEmpty {
      members.append(JSONMember("heads", Self.list(groups[0].heads)))
    } else {
      members.append(JSONMember("groups", .object(groups.map { JSONMember($0.role, Self.list($0.heads)) })))
    }
    if !mlps.isEmpty { members.append(JSONMember("mlps", .array(mlps.map { .integer($0) }))) }
    if let measurement {
      let effects = measurement.effects.map { effect in
        JSONValue.array([
          .integer(effect.head.layer), .integer(effect.head.head), .number(effect.effect),
          .number(effect.low),
          .number(effect.high),
        ])
      }
      members.append(
        JSONMember(
          "measurement",
          .object([
            JSONMember("made_by", .object(measurement.madeBy)),
            JSONMember("threshold", .number(measurement.threshold)), JSONMember("effects", .array(effects)),
          ])))
    }
    return .object(members)
  }

  private static func list(_ heads: [HeadIndex]) -> JSONValue {
    .array(heads.map { .array([.integer($0.layer), .integer($0.head)]) })
  }
}
