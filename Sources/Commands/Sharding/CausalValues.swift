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

  init(_ result: AttributionResult) { self.result = result }

  func write(to folder: String) throws -> [String] {
    let prompts = result.metric.count
    var tensors: [String: SafetensorsValue] = ["metric": .double(result.metric, shape: [prompts])]
    if let nodes = result.nodes {
      tensors["nodes"] = .double(nodes.flatMap { $0 }, shape: [prompts, result.graph.sourceCount])
    }
    if let edges = result.edges {
      tensors["edges"] = .float(Tensor(edges.flatMap { $0 }, shape: [prompts, result.graph.edgeCount]))
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
    let prompts = part.manifest.range.count
    try file.requireShape([prompts], of: "metric")
    var nodes: [[Double]]?
    var edges: [[Float]]?
    if file.names.contains("nodes") {
      try file.requireShape([prompts, graph.sourceCount], of: "nodes")
      nodes = rows(try file.doubles("nodes"), prompts)
    }
    if file.names.contains("edges") {
      try file.requireShape([prompts, graph.edgeCount], of: "edges")
      edges = rows(try file.uncheckedNumbers("edges"), prompts)
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
    return AttributionValues(whole)
  }
}

/// Answers with every head in place, and with each one replaced.
struct AblationValues: ShardedValues {
  var baseline: [AnswerScore]
  /// By head and prompt.
  var margins: [[Double]]

  init(_ ablation: HeadAblation) { (baseline, margins) = (ablation.baseline, ablation.margins) }

  func write(to folder: String) throws -> [String] {
    let prompts = baseline.count
    try writeSafetensors(
      [
        "baseline": .double(baseline.map(\.margin), shape: [prompts]),
        "right": .int32(baseline.map { $0.isRight ? 1 : 0 }, shape: [prompts]),
        "margins": .double(margins.flatMap { $0 }, shape: [margins.count, prompts]),
      ], to: folder + "/" + valuesName)
    return [valuesName]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + valuesName)
    let prompts = part.manifest.range.count
    let heads = try file.entry("margins").shape.first ?? 0
    try file.requireShape([prompts], of: "baseline")
    try file.requireShape([prompts], of: "right")
    try file.requireShape([heads, prompts], of: "margins")
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
  }

  private var measured: [String: Measured] = [:]

  init() {}

  /// Keeps what was measured of some targets.
  mutating func keep(_ effects: InterventionEffects, as name: String) {
    measured[name] = Measured(base: effects.base, replaced: effects.replaced, values: effects.values)
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
      let prompts = found.base.count
      tensors[name + ".base"] = .double(found.base, shape: [prompts])
      tensors[name + ".replaced"] = .double(found.replaced, shape: [prompts])
      tensors[name + ".values"] = .double(found.values.flatMap { $0 }, shape: [found.values.count, prompts])
    }
    try writeSafetensors(tensors, to: folder + "/" + valuesName)
    return [valuesName]
  }

  init(part: ShardFolder) throws {
    let file = try SafetensorsFile(path: part.path + "/" + valuesName)
    let prompts = part.manifest.range.count
    for name in file.names where name.hasSuffix(".values") {
      let name = String(name.dropLast(".values".count))
      let targets = try file.entry(name + ".values").shape.first ?? 0
      try file.requireShape([targets, prompts], of: name + ".values")
      try file.requireShape([prompts], of: name + ".base")
      try file.requireShape([prompts], of: name + ".replaced")
      measured[name] = Measured(
        base: try file.doubles(name + ".base"), replaced: try file.doubles(name + ".replaced"),
        values: rows(try file.doubles(name + ".values"), targets))
    }
  }

  static func joined(_ parts: [PatchValues]) throws -> PatchValues {
    var whole = parts[0]
    for part in parts.dropFirst() {
      for (name, found) in part.measured {
        whole.measured[name]?.base += found.base
        whole.measured[name]?.replaced += found.replaced
        for target in found.values.indices { whole.measured[name]?.values[target] += found.values[target] }
      }
    }
    return whole
  }
}

/// A flat table as rows of equal length.
private func rows<Value>(_ values: [Value], _ count: Int) -> [[Value]] {
  let width = count == 0 ? 0 : values.count / count
  return (0..<count).map { Array(values[$0 * width..<($0 + 1) * width]) }
}
