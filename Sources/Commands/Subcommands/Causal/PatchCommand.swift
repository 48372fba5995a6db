// headlamp patch: what replacing each part of a model does to a task.

import CausalMethods
import CircuitDiscovery
import Files
import Reports

/// Replaces nodes, layers, pairs and groups, and measures the answers.
enum PatchCommand: ShardableCommand {
  static let name = "patch"
  static let summary = "replace heads, MLPs or layers, alone or together, and measure the answers"
  static let discussion = """
    Replaces the output of each node in turn and measures the metric again, exactly. --direction corrupt puts replaced \
    values into the clean prompts; restore puts clean values into the corrupted prompts (--replace pair only). An effect is \
    the change of the mean metric; its share is of what replacing everything does. Intervals are 95 % bootstrap \
    intervals over prompts.
    --by-position replaces one position at a time. --pairs K replaces the K largest heads two at a time: where the \
    joint effect is larger than the sum, one backs up the other. --groups replaces named sets of nodes as one.

    Writes effects.csv, effects.svg (layers by heads, or nodes by positions), pairs.csv, groups.csv and summary.json.

    With --shard I/N it measures one of N parts of the positive prompts, which 'headlamp merge' puts together.
    """
  static let positionals = [PromptOptions.task]
  static let of = Option<PatchedPart>(
    "of", "WHAT", default: .nodes, help: "heads, mlps, layers (a layer's heads and MLP together) or nodes")
  static let direction = Option<PatchDirection>(
    "direction", "WAY", default: .corrupt, help: "corrupt, restore or both")
  static let byPosition = Flag(
    "by-position",
    help:
      "one position at a time: each token where prompts are of one length, else the positions that the task names"
  )
  static let pairs = Option<Int>(
    "pairs", "K", help: "also every pair of the K heads with the largest effects")
  static let groups = Option<String>(
    "groups", "LIST", help: "also these sets as one: \"movers=a3.h6,a3.h7;early=a0.h1,m0\"")
  static let output = Option<String>("output", "DIR", help: "the folder to write to")
  static let options: [any OptionDeclaration] =
    CausalOptions.all + [of, direction, byPosition, pairs, groups, output, ShardOptions.shard]
    + ReportCommand.choices
  static let examples = [
    Example("headlamp patch ioi --of heads --direction both", "which heads carry the difference, both ways"),
    Example("headlamp patch ioi --replace mean --pairs 6 --output patched", "heads that back each other up"),
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    try ReportCommand.requireFolder(arguments, output)
    let way = try arguments.required(direction)
    let loaded = try CausalOptions.load(arguments)
    for note in loaded.prompts.notes { console.note(note) }
    if way != .corrupt, loaded.options.replacement != .pair {
      throw UsageError.invalid("--direction \(way.rawValue) needs --replace pair: it puts clean values back")
    }
    if let count = arguments[pairs], count < 2 {
      throw UsageError.invalid("--pairs must be at least 2, not \(count)")
    }
    if arguments[pairs] != nil, arguments.isGiven(ShardOptions.shard) {
      throw UsageError.invalid(
        "--pairs chooses heads by all prompts, so --shard has no parts to give it; --groups names heads")
    }
    let groups = try groupTargets(arguments[groups])
    if let folder = arguments[output] { try claimFolder(folder) }
    let plans = try (way == .both ? [PatchDirection.corrupt, .restore] : [way]).map {
      try Plan($0, loaded, arguments, groups)
    }
    let values = try work.values(
      of: Self.self, arguments, "prompts", total: loaded.task.clean.count, facts: loaded.prompts.facts(),
      console: console
    ) { part in
      var values = PatchValues()
      for plan in plans { try plan.measure(part, loaded, into: &values, console) }
      return values
    }
    guard let values else { return }
    var results: [(PatchDirection, PatchReport)] = []
    for plan in plans {
      results.append((plan.way, try plan.report(values, loaded, pairs: arguments[pairs], console)))
    }
    console.endProgress()
    for (way, report) in results { print(report, way, loaded, console) }
    if let folder = arguments[output] {
      for (way, report) in results {
        try write(report, loaded, way, prefix: results.count > 1 ? way.rawValue + "-" : "", to: folder)
      }
      try ReportCommand.write(arguments, folder: folder, console: console)
      console.print("wrote \(folder)")
    }
  }

  /// What is measured in one direction.
  private struct Plan {
    var way: PatchDirection
    var task: CausalTask
    var part: PatchedPart
    /// What is replaced, without positions.
    var parts: [InterventionTarget]
    /// Positions, where each is replaced by itself.
    var positions: [String] = []
    var targets: [InterventionTarget]
    var groups: [InterventionTarget]

    init(
      _ way: PatchDirection, _ loaded: CausalOptions.Loaded, _ arguments: ParsedArguments,
      _ groups: [InterventionTarget]
    ) throws {
      self.way = way
      self.groups = groups
      task = loaded.task
      if way == .restore { (task.clean, task.corrupted) = (task.corrupted, task.clean) }
      part = try arguments.required(PatchCommand.of)
      parts = part.targets(loaded.graph)
      guard !parts.isEmpty else { throw UsageError.invalid("this model has no \(part.rawValue) to replace") }
      targets = parts
      if arguments[byPosition] {
        let places = try PatchCommand.positions(loaded)
        positions = places.map(\.name)
        targets = parts.flatMap { target in
          places.map {
            InterventionTarget("\(target.name)@\($0.name)", target.nodes, positions: $0.positions)
          }
        }
      }
    }

    private var groupsName: String { way.rawValue + "-groups" }

    /// Replaces targets on a part of the prompts.
    func effects(
      of targets: [InterventionTarget], _ what: String, on cut: TaskPart, _ loaded: CausalOptions.Loaded,
      _ console: Console
    ) throws -> InterventionEffects {
      let study = try InterventionStudy(loaded.model, cut.task, loaded.options)
      return try study.effects(of: targets.map { $0.selecting(cut.prompts) }) { done, total in
        console.progress("replacing \(what)", done, of: total, "runs")
      }.selecting(Array(cut.kept))
    }

    /// Measures everything but pairs, which are chosen by what is measured here.
    func measure(
      _ part: Range<Int>, _ loaded: CausalOptions.Loaded, into values: inout PatchValues, _ console: Console
    ) throws {
      let cut = task.part(part, tokenLimit: loaded.options.tokenLimit)
      values.keep(
        try effects(of: targets, self.part.rawValue, on: cut, loaded, console), as: way.rawValue,
        prompts: cut.keptPrompts)
      if groups.isEmpty { return }
      values.keep(
        try effects(of: groups, "groups", on: cut, loaded, console), as: groupsName, prompts: cut.keptPrompts)
    }

    func report(
      _ values: PatchValues, _ loaded: CausalOptions.Loaded, pairs: Int?, _ console: Console
    ) throws -> PatchReport {
      var report = PatchReport(
        part: part, parts: parts.map(\.name), positions: positions, seed: loaded.options.seed,
        effects: try values.effects(way.rawValue, of: targets), task: task)
      if let pairs {
        try report.addPairs(pairs, loaded.graph) {
          let cut = task.part(task.clean.indices, tokenLimit: loaded.options.tokenLimit)
          return try effects(of: $0, "pairs", on: cut, loaded, console)
        }
      }
      if !groups.isEmpty { report.groups = try values.effects(groupsName, of: groups) }
      return report
    }
  }

  /// Every position, where prompts are of one length; else those that the task gives names to.
  private static func positions(
    _ loaded: CausalOptions.Loaded
  ) throws(UsageError) -> [(name: String, positions: [[Int]])] {
    let prompts = loaded.prompts.prompts.prompts.filter(\.isPositive)
    let lengths = Set(prompts.map(\.tokens.count))
    if let length = lengths.first, lengths.count == 1 {
      return (0..<length).map { position in ("\(position)", prompts.map { _ in [position] }) }
    }
    let names = prompts.dropFirst().reduce(Set(prompts.first?.positions.keys.map { $0 } ?? [])) {
      $0.intersection($1.positions.keys)
    }
    let places = names.map { name in
      (name: name, positions: prompts.map { [$0.positions[name] ?? 0] })
    }.sorted { $0.name < $1.name }.reduce(into: [(name: String, positions: [[Int]])]()) { kept, place in
      // "answer", "end" and "last" are often the same place: one of them is enough.
      if !kept.contains(where: { $0.positions == place.positions }) { kept.append(place) }
    }
    guard !places.isEmpty else {
      throw .invalid("--by-position needs prompts of one length or positions with names in the task")
    }
    return places.sorted { one, two in
      let (a, b) = (one.positions.reduce(0) { $0 + $1[0] }, two.positions.reduce(0) { $0 + $1[0] })
      return a != b ? a < b : one.name < two.name
    }
  }

  /// `movers=a3.h6,a3.h7;early=a0.h1`.
  private static func groupTargets(_ text: String?) throws(UsageError) -> [InterventionTarget] {
    guard let text else { return [] }
    var targets: [InterventionTarget] = []
    for part in text.split(separator: ";") {
      let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard sides.count == 2, !sides[0].isEmpty else {
        throw .invalid("--groups wants NAME=NODE,NODE;NAME=…, not '\(part)'")
      }
      var nodes: [GraphNode] = []
      for name in sides[1].split(separator: ",") {
        guard let node = GraphNode(name) else {
          throw .invalid("'\(name)' in --groups is not a node; nodes are called a3.h6, m2 or input")
        }
        nodes.append(node)
      }
      targets.append(InterventionTarget(sides[0], nodes))
    }
    return targets
  }

  private static func print(
    _ report: PatchReport, _ way: PatchDirection, _ loaded: CausalOptions.Loaded, _ console: Console
  ) {
    let metric = report.task.metric.rawValue
    console.print(
      "\(way == .restore ? "restoring the corrupted prompts" : "corrupting the clean prompts"): "
        + "\(report.effects.base.count) prompts, \(metric) \(average(report.effects.base).text(significant: 4)), with "
        + "everything replaced \(average(report.effects.replaced).text(significant: 4))")
    let rows = report.rows(report.effects).sorted { abs($0.summary.effect) > abs($1.summary.effect) }
    let width = max(6, rows.map(\.name.count).max() ?? 0)
    console.print("\("what".padded(to: width))    effect  95 % interval over prompts   share")
    for row in rows.prefix(15) { console.print(line(row, width)) }
    if let pairs = report.pairs {
      console.print("pairs, by joint effect beyond the sum of the two")
      for row in pairs.sorted(by: { abs($0.beyond) > abs($1.beyond) }).prefix(8) {
        console.print(
          "\(row.first) + \(row.second)".padded(to: 16)
            + row.joint.effect.text(significant: 4).leftPadded(to: 10)
            + "  beyond the sum \(row.beyond.text(significant: 3))")
      }
    }
    if let groups = report.groups {
      for row in report.rows(groups) { console.print(line(row, width)) }
    }
  }

  private static func line(_ row: PatchReport.Row, _ width: Int) -> String {
    let interval =
      "[\(row.summary.interval.lowerBound.text(significant: 3)), \(row.summary.interval.upperBound.text(significant: 3))]"
    return row.name.padded(to: width) + row.summary.effect.text(significant: 4).leftPadded(to: 10) + "  "
      + interval.padded(to: 27)
      + (row.summary.share.isNaN ? "" : (100 * row.summary.share).text(decimals: 1).leftPadded(to: 6) + " %")
  }

  private static func write(
    _ report: PatchReport, _ loaded: CausalOptions.Loaded, _ way: PatchDirection, prefix: String,
    to folder: String
  ) throws {
    try report.table(report.effects).write(to: folder + "/\(prefix)effects.csv")
    try writeFile(
      report.heatMap(loaded.graph, title: "\(loaded.prompts.prompts.task), \(way.rawValue)").svg,
      to: folder + "/\(prefix)effects.svg")
    if let pairs = report.pairs {
      var table = CSVDocument(
        header: [
          "first", "second", "joint_effect", "joint_low", "joint_high", "sum_of_effects", "beyond_sum",
        ])
      for row in pairs {
        table.append([
          .text(row.first), .text(row.second), .number(row.joint.effect),
          .number(row.joint.interval.lowerBound), .number(row.joint.interval.upperBound), .number(row.sum),
          .number(row.beyond),
        ])
      }
      try table.write(to: folder + "/\(prefix)pairs.csv")
    }
    if let groups = report.groups { try report.table(groups).write(to: folder + "/\(prefix)groups.csv") }
    var members = try CausalOptions.provenance(loaded, command: name)
    members += [
      JSONMember("direction", .string(way.rawValue)), JSONMember("of", .string(report.part.rawValue)),
      JSONMember("mean_metric", .number(average(report.effects.base))),
      JSONMember("mean_metric_with_everything_replaced", .number(average(report.effects.replaced))),
    ]
    try writeFile(JSONValue.object(members).text(), to: folder + "/\(prefix)summary.json")
  }
}

/// What is replaced as one.
enum PatchedPart: String, CaseIterable, ArgumentValue {
  case heads, mlps, layers, nodes

  func targets(_ graph: CircuitGraph) -> [InterventionTarget] {
    let nodes = (0..<graph.sourceCount).map { graph.source($0) }
    func single(_ nodes: [GraphNode]) -> [InterventionTarget] {
      nodes.map { InterventionTarget($0.description, [$0]) }
    }
    switch self {
    case .nodes: return single(nodes)
    case .heads: return single(nodes.filter { if case .head = $0 { true } else { false } })
    case .mlps: return single(nodes.filter { if case .mlp = $0 { true } else { false } })
    case .layers:
      return (0..<graph.layers).map { layer in
        InterventionTarget(
          "layer \(layer)",
          nodes.filter { node in
            switch node {
            case .head(layer, _), .mlp(layer): true
            default: false
            }
          })
      }
    }
  }
}

/// Which run is changed.
enum PatchDirection: String, CaseIterable, ArgumentValue {
  case corrupt, restore, both
}
