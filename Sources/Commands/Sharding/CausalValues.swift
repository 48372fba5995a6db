// What causal methods measure, prompt by prompt, as parts keep it.

import CausalMethods
import Checkpoints
import CircuitDiscovery
import Files
import Tensors

/// The one file that parts of causal methods consist of.
private let valuesName = "values.safetensors"

/// Scores of nodes and edges.
struct AttributionValues: ShardedValues {
  var result: AttributionResult

  /// Where each prompt stands in the task.
  private var prompts: [Int]

  init(_ result: AttributionResult, prompts: [Int]) { (self.result, self.prompts) = (result, prompts) }

  func write(to folder: String) throws -> [String] {
    let count = result.metric.count
    var tensors: [String: SafetensorsValue] = [
      "metric": .double(result.metric, shape: [count]), "prompts": .int64(prompts, shape: [count]),
    ]
    if let nodes = result.nodes {
      tensors["nodes"] = .double(nodes.flatMap { $0 }, shape: [count, result.graph.sourceCount])
    }
    if let edges = result.edges {
      tensors["edges"] = .float(Tensor(edges.flatMap { $0 }, shape: [count, result.graph.edgeCount]))
    }
    let graph = result.graph
    let shape = [graph.layers, graph.heads, graph.hasMLPs ? 1 : 0, graph.isParallel ? 1 : 0]
    tensors["graph"] = .int64(shape, shape: [shape.count])
    try writeSafetensors(tensors, to: folder + "/" + valuesName)
    return [valuesName]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + valuesName)
    let shape = try file.integers("graph")
    guard shape.count == 4, shape.allSatisfy({ $0 >= 0 }) else {
      throw ShardError.damaged(path: part.path, problem: "its graph has no shape")
    }
    let graph = CircuitGraph(
      layers: shape[0], heads: shape[1], hasMLPs: shape[2] == 1, isParallel: shape[3] == 1)
    let count = part.manifest.range.count
    prompts = try promptNumbers(file, part)
    try file.requireShape([count], of: "metric")
    var nodes: [[Double]]?
    var edges: [[Float]]?
    if file.names.contains("nodes") {
      try file.requireShape([count, graph.sourceCount], of: "nodes")
      nodes = rows(try file.doubles("nodes"), count)
    }
    if file.names.contains("edges") {
      try file.requireShape([count, graph.edgeCount], of: "edges")
      edges = rows(try file.uncheckedNumbers("edges"), count)
    }
    result = AttributionResult(graph: graph, nodes: nodes, edges: edges, metric: try file.doubles("metric"))
  }

  static func joined(_ parts: [AttributionValues]) throws -> AttributionValues {
    var whole = parts[0].result
    for part in parts.dropFirst() {
      whole.nodes = whole.nodes.map { $0 + (part.result.nodes ?? []) }
      whole.edges = whole.edges.map { $0 + (part.result.edges ?? []) }
      whole.metric += part.result.metric
    }
    let places = try places(ofPrompts: parts.map(\.prompts))
    return AttributionValues(whole.selecting(places), prompts: Array(places.indices))
  }
}

/// Answers with every head in place, and with each one replaced.
struct AblationValues: ShardedValues {
  var baseline: [AnswerScore]
  /// By head and prompt.
  var margins: [[Double]]

  /// Where each prompt stands among the positives.
  private var prompts: [Int]

  init(_ ablation: HeadAblation) {
    (baseline, margins, prompts) = (ablation.baseline, ablation.margins, ablation.prompts)
  }

  func write(to folder: String) throws -> [String] {
    let count = baseline.count
    try writeSafetensors(
      [
        "prompts": .int64(prompts, shape: [count]),
        "baseline": .double(baseline.map(\.margin), shape: [count]),
        "right": .int32(baseline.map { $0.isRight ? 1 : 0 }, shape: [count]),
        "margins": .double(margins.flatMap { $0 }, shape: [margins.count, count]),
      ], to: folder + "/" + valuesName)
    return [valuesName]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + valuesName)
    let count = part.manifest.range.count
    prompts = try promptNumbers(file, part)
    let heads = try file.entry("margins").shape.first ?? 0
    try file.requireShape([count], of: "baseline")
    try file.requireShape([count], of: "right")
    try file.requireShape([heads, count], of: "margins")
    baseline = zip(try file.doubles("baseline"), try file.integers("right")).map {
      AnswerScore(margin: $0, isRight: $1 == 1)
    }
    margins = rows(try file.doubles("margins"), heads)
  }

  static func joined(_ parts: [AblationValues]) throws -> AblationValues {
    var whole = parts[0]
    for part in parts.dropFirst() {
      whole.baseline += part.baseline
      for head in whole.margins.indices { whole.margins[head] += part.margins[head] }
    }
    let places = try places(ofPrompts: parts.map(\.prompts))
    let (baseline, margins) = (whole.baseline, whole.margins)
    whole.prompts = Array(places.indices)
    whole.baseline = places.map { baseline[$0] }
    whole.margins = margins.map { row in places.map { row[$0] } }
    return whole
  }
}

/// Answers with targets replaced, under the name of what they were replaced for.
struct PatchValues: ShardedValues {
  /// One list of targets.
  struct Measured {
    var base: [Double]
    var replaced: [Double]
    /// By target and prompt.
    var values: [[Double]]
    /// Where each prompt stands in the task.
    var prompts: [Int]
  }

  private var measured: [String: Measured] = [:]

  init() {}

  /// Keeps what was measured of some targets.
  mutating func keep(_ effects: InterventionEffects, as name: String, prompts: [Int]) {
    measured[name] = Measured(
      base: effects.base, replaced: effects.replaced, values: effects.values, prompts: prompts)
  }

  /// The effects of targets that were measured under a name.
  /// - Throws: `ShardError.notAShard` where others were.
  func effects(_ name: String, of targets: [InterventionTarget]) throws -> InterventionEffects {
    guard let found = measured[name], found.values.count == targets.count else {
      throw ShardError.notAShard(path: name, problem: "it lacks what was to be replaced")
    }
    return InterventionEffects(
      targets: targets, base: found.base, values: found.values, replaced: found.replaced)
  }

  func write(to folder: String) throws -> [String] {
    var tensors: [String: SafetensorsValue] = [:]
    for (name, found) in measured {
      let count = found.base.count
      tensors["prompts"] = .int64(found.prompts, shape: [count])
      tensors[name + ".base"] = .double(found.base, shape: [count])
      tensors[name + ".replaced"] = .double(found.replaced, shape: [count])
      tensors[name + ".values"] = .double(found.values.flatMap { $0 }, shape: [found.values.count, count])
    }
    try writeSafetensors(tensors, to: folder + "/" + valuesName)
    return [valuesName]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + valuesName)
    let count = part.manifest.range.count
    let prompts = try promptNumbers(file, part)
    for name in file.names where name.hasSuffix(".values") {
      let name = String(name.dropLast(".values".count))
      let targets = try file.entry(name + ".values").shape.first ?? 0
      try file.requireShape([targets, count], of: name + ".values")
      try file.requireShape([count], of: name + ".base")
      try file.requireShape([count], of: name + ".replaced")
      measured[name] = Measured(
        base: try file.doubles(name + ".base"), replaced: try file.doubles(name + ".replaced"),
        values: rows(try file.doubles(name + ".values"), targets), prompts: prompts)
    }
  }

  static func joined(_ parts: [PatchValues]) throws -> PatchValues {
    var whole = PatchValues()
    for name in parts[0].measured.keys {
      let own = parts.compactMap { $0.measured[name] }
      let places = try places(ofPrompts: own.map(\.prompts))
      func ordered(_ values: [Double]) -> [Double] { places.map { values[$0] } }
      whole.measured[name] = Measured(
        base: ordered(own.flatMap(\.base)), replaced: ordered(own.flatMap(\.replaced)),
        values: own[0].values.indices.map { target in ordered(own.flatMap { $0.values[target] }) },
        prompts: Array(places.indices))
    }
    return whole
  }
}

/// Where the prompts of a part stand in the task.
private func promptNumbers(_ file: SafetensorsFile, _ part: ShardFolder) throws -> [Int] {
  try file.requireShape([part.manifest.range.count], of: "prompts")
  return try file.integers("prompts")
}

/// For each prompt of a task, where it stands among the prompts of its parts, one part after the other.
/// - Throws: `ShardError.notAShard` where a prompt is missing or there twice.
private func places(ofPrompts parts: [[Int]]) throws -> [Int] {
  let prompts = parts.flatMap { $0 }
  var places = [Int](repeating: -1, count: prompts.count)
  for (place, prompt) in prompts.enumerated() {
    guard places.indices.contains(prompt), places[prompt] < 0 else {
      throw ShardError.notAShard(
        path: "one of the parts", problem: "prompt \(prompt) is there twice, or is too many")
    }
    places[prompt] = place
  }
  return places
}

/// A flat table as rows of equal length.
private func rows<Value>(_ values: [Value], _ count: Int) -> [[Value]] {
  let width = count == 0 ? 0 : values.count / count
  return (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }
}
