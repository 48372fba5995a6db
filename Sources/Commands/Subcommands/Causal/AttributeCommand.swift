// headlamp attribute: how much each node or edge contributes to a task.

import CausalMethods
import CircuitDiscovery
import Files
import Reports
import Transformers

/// Scores nodes or edges by one method.
enum AttributeCommand: ShardableCommand {
  static let name = "attribute"
  static let summary = "score every head, MLP or edge of a model by its part in a task"
  static let discussion = """
    Runs one attribution method on N positive prompts of a task; 'headlamp methods' lists them. A score is the change of \
    the metric that the method expects where a node's output (or an edge's part of it) is replaced: negative where the \
    answer would suffer. Intervals are 95 % bootstrap intervals over prompts; in_top is the share of redrawn sets of \
    prompts in which a node or edge is among the 10 largest.

    Writes nodes.csv, edges.csv (for methods that score edges), circuit.json (the format of EAP-IG and MIB: all scores, \
    and which edges are in the circuit), heads.svg and summary.json. The circuit is the --keep share of edges with the \
    largest scores, without nodes that nothing feeds or that feed nothing.

    With --shard I/N it measures one of N parts of the positive prompts, which 'headlamp merge' puts together.
    """
  static let positionals = [PromptOptions.task]
  static let method = Option<String>("method", "NAME", default: "eap-ig-inputs", help: "the method")
  static let steps = Option<Int>("steps", "N", default: 5, help: "steps of integrated gradients")
  static let keep = Option<Double>(
    "keep", "SHARE", default: 0.1, help: "the share of edges that make the circuit")
  static let greedy = Flag("greedy", help: "choose the circuit's edges from the logits up")
  static let alone = Flag("alone", help: "method ig: move each node by itself, not a layer's heads together")
  static let threshold = Option<Double>(
    "threshold", "X", default: 0.05, help: "method acdc: the damage below which an edge is left out")
  static let sparsity = Option<Double>(
    "sparsity", "X", default: 0.5, help: "methods node-mask and edge-mask: the price of keeping everything")
  static let output = Option<String>("output", "DIR", help: "the folder to write to")
  static let options: [any OptionDeclaration] =
    CausalOptions.all + [
      method, steps, keep, greedy, alone, threshold, sparsity, output, ShardOptions.shard, ReportCommand.none,
      ReportCommand.figures,
    ]
  static let examples = [
    Example("headlamp attribute ioi --output attributed", "edges of the bundled model, by EAP-IG in 5 steps"),
    Example(
      "headlamp attribute ioi --method patching --replace mean", "what replacing each node by its mean does"),
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    try ReportCommand.requireFolder(arguments, output)
    let name = try arguments.required(method)
    guard let method = attributionMethod(named: name) else {
      let known = attributionMethods.map { $0.name }
      throw UsageError.invalid(
        "there is no method '\(name)'; "
          + (nearestWord(to: name, among: known).map { "did you mean '\($0)'?" }
            ?? "'headlamp methods' lists them"))
    }
    let share = try arguments.required(keep)
    guard share > 0, share <= 1 else {
      throw UsageError.invalid("--keep must be above 0 and at most 1, not \(share)")
    }
    let stepCount = try arguments.required(steps)
    guard stepCount > 0 else { throw UsageError.invalid("--steps must be above 0, not \(stepCount)") }
    try refuseUnused(arguments, method)
    if work.isPart, !method.scoresPromptsAlone {
      throw UsageError.invalid("\(name) decides by all prompts together, so --shard has no parts to give it")
    }
    var loaded = try CausalOptions.load(arguments, replacements: method.replacements)
    for note in loaded.prompts.notes { console.note(note) }
    if method.scoresEdges { try loaded.model.requireSummedStream(for: method.name) }
    loaded.options.steps = stepCount
    if arguments[alone] { loaded.options.settings["alone"] = 1 }
    loaded.options.settings["threshold"] = try arguments.required(threshold)
    loaded.options.settings["sparsity"] = try arguments.required(sparsity)
    if let folder = arguments[output] { try claimFolder(folder) }
    let (model, task, options) = (loaded.model, loaded.task, loaded.options)
    let values = try work.values(
      of: Self.self, arguments, "prompts", total: task.clean.count, facts: loaded.prompts.facts(),
      console: console
    ) { part in
      let cut = task.part(part, tokenLimit: options.tokenLimit)
      let result = try method.init().attribute(model, cut.task, options) { done, total in
        console.progress(name, done, of: total, "runs")
      }
      return AttributionValues(result.selecting(Array(cut.kept)), prompts: cut.keptPrompts)
    }
    guard let result = values?.result else { return }
    console.endProgress()
    let summary = AttributionSummary(result, seed: loaded.options.seed)
    let circuit = circuit(of: result, share: share, greedily: arguments[greedy])
    if let folder = arguments[output] {
      try write(result, summary, circuit, loaded, method, arguments, to: folder)
      try ReportCommand.write(arguments, folder: folder, console: console)
    }
    report(result, summary, circuit, method, arguments[output], console)
  }

  /// Refuses options that the method has no use for.
  private static func refuseUnused(_ arguments: ParsedArguments, _ method: any AttributionMethod.Type) throws
  {
    let uses: [(any OptionDeclaration, [String])] = [
      (steps, ["ig", "eap-ig-inputs", "eap-ig-activations"]), (alone, ["ig"]), (threshold, ["acdc"]),
      (sparsity, ["node-mask", "edge-mask"]),
    ]
    for (option, names) in uses where arguments.isGiven(option) && !names.contains(method.name) {
      throw UsageError.invalid(
        "--\(option.name) has no meaning for \(method.name); it is for \(names.joined(separator: ", "))")
    }
    if arguments[greedy], !method.scoresEdges {
      throw UsageError.invalid("--greedy chooses edges, and \(method.name) scores nodes")
    }
  }

  /// The circuit that a result stands for.
  static func circuit(of result: AttributionResult, share: Double, greedily: Bool) -> Circuit {
    let graph = result.graph
    if let chosen = result.circuit {
      return Circuit(graph, edges: (0..<graph.edgeCount).map { chosen.contains($0) }).pruned()
    }
    if let scores = result.edgeScores {
      let count = max(1, Int(share * Double(graph.edgeCount)))
      return
        (greedily
        ? Circuit(graph, greedily: count, scores: scores) : Circuit(graph, top: count, scores: scores))
        .pruned()
    }
    let scores = result.nodeScores ?? []
    let count = max(1, Int(share * Double(scores.count)))
    let order = scores.indices.sorted { abs(scores[$0]) > abs(scores[$1]) }
    return Circuit(graph, nodes: Set(order.prefix(count).map { graph.source($0) })).pruned()
  }

  private static func write(
    _ result: AttributionResult, _ summary: AttributionSummary, _ circuit: Circuit,
    _ loaded: CausalOptions.Loaded, _ method: any AttributionMethod.Type, _ arguments: ParsedArguments,
    to folder: String
  ) throws {
    var provenance = try CausalOptions.provenance(loaded, command: name)
    provenance.append(JSONMember("method", .string(method.name)))
    if ["ig", "eap-ig-inputs", "eap-ig-activations"].contains(method.name) {
      provenance.append(JSONMember("steps", .integer(loaded.options.steps)))
    }
    try NodeTable.document(summary, result.graph).write(to: folder + "/nodes.csv")
    if let edges = summary.edges {
      try NodeTable.edges(edges, circuit).write(to: folder + "/edges.csv")
    }
    try ScoredCircuit(
      circuit, edgeScores: result.edgeScores, nodeScores: summary.nodes.map(\.score),
      dModel: loaded.model.configuration.dModel, provenance: provenance
    ).write(to: folder + "/circuit.json")
    try writeFile(
      NodeTable.heatMap(
        summary.nodes.map(\.score), result.graph, title: "\(method.name): \(loaded.prompts.prompts.task)"
      ).svg, to: folder + "/heads.svg")
    let members =
      provenance + [
        JSONMember("source", .string(method.source)),
        JSONMember("mean_metric", .number(average(result.metric))),
        JSONMember("edges_in_circuit", .integer(circuit.edgeCount)),
        JSONMember("edges", .integer(result.graph.edgeCount)),
        JSONMember("top", .integer(summary.top)),
        JSONMember("top_jaccard_over_prompts", .number(summary.topJaccard)),
        JSONMember(
          "largest",
          .array(
            largest(summary).prefix(20).map {
              .object([
                JSONMember("name", .string($0.name)), JSONMember("score", .number($0.score)),
                JSONMember("score_low", .number($0.interval.lowerBound)),
                JSONMember("score_high", .number($0.interval.upperBound)),
                JSONMember("in_top", .number($0.inTop)),
              ])
            })),
      ]
    try writeFile(JSONValue.object(members).text(), to: folder + "/summary.json")
  }

  private static func largest(_ summary: AttributionSummary) -> [ScoredItem] {
    (summary.edges ?? summary.nodes).sorted { abs($0.score) > abs($1.score) }
  }

  private static func report(
    _ result: AttributionResult, _ summary: AttributionSummary, _ circuit: Circuit,
    _ method: any AttributionMethod.Type, _ folder: String?, _ console: Console
  ) {
    console.print(
      "\(result.metric.count) prompts, mean metric \(average(result.metric).text(significant: 4)); "
        + "\(method.summary)")
    let rows = largest(summary).prefix(12)
    let width = max(6, rows.map(\.name.count).max() ?? 0)
    console.print("\("name".padded(to: width))     score  95 % interval over prompts   in top \(summary.top)")
    for row in rows {
      let interval =
        "[\(row.interval.lowerBound.text(significant: 3)), \(row.interval.upperBound.text(significant: 3))]"
      console.print(
        row.name.padded(to: width) + row.score.text(significant: 4).leftPadded(to: 10) + "  "
          + interval.padded(to: 27) + "  " + (100 * row.inTop).text(decimals: 0).leftPadded(to: 4) + " %")
    }
    console.print(
      "top \(summary.top), mean Jaccard similarity over redrawn prompts \(summary.topJaccard.text(decimals: 3))"
    )
    console.print("circuit: \(circuit.edgeCount) of \(result.graph.edgeCount) edges")
    if let folder { console.print("wrote \(folder)") }
  }
}
