// headlamp faithfulness: how much of a task a circuit does by itself.

import CausalMethods
import CircuitDiscovery
import Files
import Reports

/// Scores a circuit by running it.
enum FaithfulnessCommand: Subcommand {
  static let name = "faithfulness"
  static let summary = "run a circuit by itself: how much of the task it keeps, and three tests of it"
  static let discussion = """
    Runs the edges of a circuit file while everything else carries replaced values. f = (m(circuit) − m(nothing)) / \
    (m(everything) − m(nothing)): 1 where the circuit does as well as the model. From the file's scores the ten sizes of \
    MIB (0.1 % … 100 % of the edges, largest first, or from the logits up with --greedy, then pruned) give CPR, the area \
    under f, and CMD, the area under |1 − f|; --signed takes the highest scores in place of the largest. For the circuit \
    itself: f, divergence from the model's answers and accuracy kept; completeness, f of everything but the circuit; and \
    with --tests the three tests of Shi et al. 2024 (equivalence, independence, minimality). Intervals are 95 % bootstrap \
    intervals over prompts. --stability scores the edges again on these prompts and says how far the 10 largest depend on \
    which prompts were drawn.
    """
  static let positionals = [PromptOptions.task]
  static let circuit = Option<String>(
    "circuit", "FILE", help: "circuit.json, as 'attribute', EAP-IG or MIB write it")
  static let greedy = Flag("greedy", help: "choose each size's edges from the logits up")
  static let signed = Flag("signed", help: "order edges by score, not by its size")
  static let tests = Flag("tests", help: "test equivalence, independence and minimality too")
  static let stability = Option<String>(
    "stability", "METHOD",
    help: "score the edges again by METHOD and say how many of the largest stay over redrawn prompts")
  static let output = Option<String>(
    "output", "DIR", help: "the folder to write faithfulness.csv and summary.json to")
  static let options: [any OptionDeclaration] =
    CausalOptions.all + [
      circuit, greedy, signed, tests, stability, output, ReportCommand.none, ReportCommand.figures,
    ]
  static let examples = [
    Example(
      "headlamp faithfulness ioi --circuit attributed/circuit.json",
      "the circuit that 'headlamp attribute ioi --output attributed' found")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    try ReportCommand.requireFolder(arguments, output)
    let path = try arguments.required(circuit)
    let stabilityMethod = try arguments[stability].map(EdgeStability.method(named:))
    let loaded = try CausalOptions.load(arguments)
    let stored = try ScoredCircuit(path: path, graph: loaded.graph)
    let scores = stored.edgeScores ?? []
    guard Set(scores).count > 1 || stored.circuit.edgeCount > 0 else {
      throw CausalError.badCircuit(path: path, problem: "it has neither scores nor edges in the circuit")
    }
    if let folder = arguments[output] { try claimFolder(folder) }
    var runner = try CircuitRunner(loaded.model, loaded.task, loaded.options)
    let sizes = circuitShares.map { share in
      let count = Int(share * Double(loaded.graph.edgeCount))
      return
        (arguments[greedy]
        ? Circuit(loaded.graph, greedily: count, scores: scores, bySize: !arguments[signed])
        : Circuit(loaded.graph, top: count, scores: scores, bySize: !arguments[signed])).pruned()
    }
    let circuits: [Circuit] =
      [.whole(loaded.graph), .empty(loaded.graph), stored.circuit, stored.circuit.complement] + sizes
    let metrics: [CausalMetric] = [loaded.task.metric, .divergence, .accuracy]
    let values = try runner.values(of: circuits, by: metrics) { done, total in
      console.progress("running circuits", done, of: total, "runs")
    }
    let means = values[0].map(average)
    func curve(_ metrics: [Double], whole: Double, empty: Double) throws -> FaithfulnessCurve {
      try FaithfulnessCurve(
        shares: circuitShares, metrics: metrics, whole: whole, empty: empty, metric: loaded.task.metric)
    }
    let found = try curve(Array(means[4...]), whole: means[0], empty: means[1])
    // A draw in which everything and nothing are worth the same says nothing.
    func interval(_ statistic: ([Double]) throws -> Double) -> ClosedRange<Double> {
      let perPrompt = values[0]
      return bootstrapInterval(of: loaded.task.clean.count, resamples: 1000, seed: loaded.options.seed) {
        indices in
        (try? statistic(perPrompt.map { values in average(indices.map { values[$0] }) })) ?? .nan
      }
    }
    func share(_ place: Int) -> ([Double]) throws -> Double {
      { means in (means[place] - means[1]) / (means[0] - means[1]) }
    }
    var rows: [Figure] = [
      Figure("faithfulness", try share(2)(means), interval(share(2))),
      Figure("completeness_faithfulness_without", try share(3)(means), interval(share(3))),
      Figure("kl", average(values[1][2]), nil),
      Figure("accuracy", average(values[2][2]), nil),
      Figure("model_accuracy", average(values[2][0]), nil),
    ]
    if Set(scores).count > 1 {
      rows.append(
        Figure("cpr", found.cpr, interval { try curve(Array($0[4...]), whole: $0[0], empty: $0[1]).cpr }))
      rows.append(
        Figure("cmd", found.cmd, interval { try curve(Array($0[4...]), whole: $0[0], empty: $0[1]).cmd }))
    }
    var tested: CircuitTests?
    if arguments[tests] {
      tested = try runner.test(stored.circuit, seed: loaded.options.seed) { done, total in
        console.progress("testing", done, of: total, "runs")
      }
    }
    let stable = try stabilityMethod.map { method in
      try EdgeStability(method, loaded, scores: scores) { done, total in
        console.progress("scoring edges again", done, of: total, "draws")
      }
    }
    console.endProgress()
    report(loaded, stored, found, sizes, rows, tested, means, console)
    if let stable { console.print(stable.sentence) }
    if let folder = arguments[output] {
      try write(loaded, path, found, sizes, values, rows, tested, stable, to: folder)
      try ReportCommand.write(arguments, folder: folder, console: console)
      console.print("wrote \(folder)")
    }
  }

  private struct Figure {
    var name: String
    var value: Double
    var interval: ClosedRange<Double>?
    init(_ name: String, _ value: Double, _ interval: ClosedRange<Double>?) {
      self.name = name
      self.value = value
      self.interval = interval
    }
  }

  private static func report(
    _ loaded: CausalOptions.Loaded, _ stored: ScoredCircuit, _ curve: FaithfulnessCurve, _ sizes: [Circuit],
    _ rows: [Figure], _ tests: CircuitTests?, _ means: [Double], _ console: Console
  ) {
    console.print(
      "\(loaded.task.clean.count) prompts, \(loaded.task.metric.rawValue) \(means[0].text(significant: 4)) with "
        + "everything, \(means[1].text(significant: 4)) with nothing; the circuit has \(stored.circuit.edgeCount) of "
        + "\(loaded.graph.edgeCount) edges")
    for row in rows {
      let interval = row.interval.map {
        "  [\($0.lowerBound.text(decimals: 3)), \($0.upperBound.text(decimals: 3))]"
      }
      console.print(
        row.name.padded(to: 36) + row.value.text(decimals: 3).leftPadded(to: 8) + (interval ?? ""))
    }
    console.print("share of edges  edges kept  f")
    for (place, share) in curve.shares.enumerated() {
      console.print(
        (100 * share).text(significant: 3).leftPadded(to: 6) + " %".padded(to: 10)
          + "\(sizes[place].edgeCount)".leftPadded(to: 10) + "  "
          + curve.faithfulness[place].text(decimals: 3))
    }
    guard let tests else { return }
    console.print(
      "equivalence: ahead of the model on \(tests.ahead.successes) of \(tests.ahead.trials) prompts, "
        + "p \(tests.equivalence.text(significant: 3))")
    console.print("independence of what is left: p \(tests.independence.text(significant: 3))")
    console.print(
      "minimality: \(tests.minimality.count - tests.superfluous.count) of \(tests.minimality.count) edges tried matter "
        + "more than nine in ten random ones (level \(tests.minimalityLevel.text(significant: 2)) each)")
  }

  private static func write(
    _ loaded: CausalOptions.Loaded, _ path: String, _ curve: FaithfulnessCurve, _ sizes: [Circuit],
    _ values: [[[Double]]], _ rows: [Figure], _ tests: CircuitTests?, _ stable: EdgeStability?,
    to folder: String
  ) throws {
    var table = CSVDocument(header: ["share", "edges", "faithfulness", "metric", "kl", "accuracy"])
    for (place, share) in curve.shares.enumerated() {
      table.append([
        .number(share), .integer(sizes[place].edgeCount), .number(curve.faithfulness[place]),
        .number(average(values[0][4 + place])), .number(average(values[1][4 + place])),
        .number(average(values[2][4 + place])),
      ])
    }
    try table.write(to: folder + "/faithfulness.csv")
    var members = try CausalOptions.provenance(loaded, command: name)
    members.append(JSONMember("circuit", .string(path)))
    for row in rows {
      members.append(JSONMember(row.name, .number(row.value)))
      if let interval = row.interval {
        members.append(JSONMember(row.name + "_low", .number(interval.lowerBound)))
        members.append(JSONMember(row.name + "_high", .number(interval.upperBound)))
      }
    }
    if let tests {
      members.append(JSONMember("equivalence_p", .number(tests.equivalence)))
      members.append(JSONMember("independence_p", .number(tests.independence)))
      members.append(JSONMember("minimality_edges_tried", .integer(tests.minimality.count)))
      members.append(JSONMember("minimality_superfluous", .integer(tests.superfluous.count)))
      members.append(JSONMember("minimality_level", .number(tests.minimalityLevel)))
    }
    if let stable { members += stable.members }
    try writeFile(JSONValue.object(members).text(), to: folder + "/summary.json")
  }
}
