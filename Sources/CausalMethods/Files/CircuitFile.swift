// Circuits as files, in the format that EAP-IG's and MIB's public code read and write.
//
// {"cfg": {"n_layers", "n_heads", "parallel_attn_mlp", "d_model"},
//  "nodes": {"a3.h1": {"in_graph": true, "score": 0.1}, …},
//  "edges": {"a9.h6->a10.h0<q>": {"score": 0.2, "in_graph": true}, …}}
// Our own files have "headlamp" beside these: how the circuit was made. Others ignore it.

import Files
import Tensors

/// A circuit with the scores it was chosen by.
public struct ScoredCircuit: Sendable {
  /// The circuit.
  public var circuit: Circuit
  /// Scores of all edges, reader by reader; nil where the file has none.
  public var edgeScores: [Double]?
  /// Scores of all writers.
  public var nodeScores: [Double]?
  /// Writers that are in.
  public var nodes: Set<GraphNode>
  /// Width of the residual stream.
  public var dModel: Int
  /// How it was made.
  public var provenance: [JSONMember]

  /// A circuit with its scores.
  public init(
    _ circuit: Circuit, edgeScores: [Double]?, nodeScores: [Double]?, dModel: Int, provenance: [JSONMember]
  ) {
    self.circuit = circuit
    self.edgeScores = edgeScores
    self.nodeScores = nodeScores
    nodes = Set(circuit.sources.map { circuit.graph.source($0) })
    self.dModel = dModel
    self.provenance = provenance
  }
}

extension ScoredCircuit {
  /// The file's JSON, a line an edge.
  public var text: String {
    let graph = circuit.graph
    var lines = ["{\"cfg\": " + configuration.line + ",", " \"nodes\": {"]
    var nodeLines = (0..<graph.sourceCount).map { index -> String in
      let node = graph.source(index)
      var members = [JSONMember("in_graph", .boolean(nodes.contains(node)))]
      if let scores = nodeScores { members.append(JSONMember("score", .number(scores[index]))) }
      return "  \"\(node)\": " + JSONValue.object(members).line
    }
    nodeLines.append("  \"logits\": {\"in_graph\": true}")
    lines.append(nodeLines.joined(separator: ",\n") + "},")
    lines.append(" \"edges\": {")
    let edgeLines = graph.edges.enumerated().map { index, edge in
      let members = [
        JSONMember("score", .number(edgeScores?[index] ?? 0)),
        JSONMember("in_graph", .boolean(circuit.edges[index])),
      ]
      return "  \"\(edge)\": " + JSONValue.object(members).line
    }
    lines.append(edgeLines.joined(separator: ",\n") + "},")
    lines.append(" \"headlamp\": " + JSONValue.object(provenance).line + "}")
    return lines.joined(separator: "\n") + "\n"
  }

  private var configuration: JSONValue {
    .object([
      JSONMember("n_layers", .integer(circuit.graph.layers)),
      JSONMember("n_heads", .integer(circuit.graph.heads)),
      JSONMember("parallel_attn_mlp", .boolean(circuit.graph.isParallel)),
      JSONMember("d_model", .integer(dModel)),
    ])
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws { try writeFile(text, to: path) }

  /// Reads a circuit of a model.
  ///
  /// - Parameter graph: the model's graph; the file must be of the same sizes. Nil takes the file's own.
  /// - Throws: `FileError`, or `CausalError` where the file is not a circuit, or one of another model.
  public init(path: String, graph: CircuitGraph? = nil) throws {
    if path.hasSuffix(".pt") {
      try self.init(pyTorchPath: path, graph: graph)
      return
    }
    let text = try readText(at: path)
    let json: JSONValue
    do {
      json = try JSONValue(parsing: text)
    } catch {
      throw CausalError.badCircuit(
        path: path, problem: "line \(error.line), column \(error.column): \(error.problem)")
    }
    try self.init(json, path: path, graph: graph)
  }

  /// The graph a file is of; refuses one of other sizes than expected.
  static func graph(
    _ cfg: JSONValue, hasMLPs: Bool, path: String, expected: CircuitGraph?
  ) throws(CausalError) -> CircuitGraph {
    guard let layers = cfg["n_layers"]?.wholeNumber, let heads = cfg["n_heads"]?.wholeNumber else {
      throw .badCircuit(path: path, problem: "its \"cfg\" lacks n_layers or n_heads")
    }
    guard (1...1000).contains(layers), (1...1000).contains(heads) else {
      throw .badCircuit(path: path, problem: "its \"cfg\" says \(layers) layers of \(heads) heads")
    }
    let isParallel = cfg["parallel_attn_mlp"]?.truth ?? false
    let found = CircuitGraph(layers: layers, heads: heads, hasMLPs: hasMLPs, isParallel: isParallel)
    if let expected, found != expected { throw .otherModel(path: path, found: found, expected: expected) }
    return found
  }

  private init(_ json: JSONValue, path: String, graph: CircuitGraph?) throws(CausalError) {
    func bad(_ problem: String) -> CausalError { .badCircuit(path: path, problem: problem) }
    guard let cfg = json["cfg"], let nodes = json["nodes"]?.members, let edges = json["edges"]?.members else {
      throw bad("it needs \"cfg\", \"nodes\" and \"edges\"")
    }
    let graph = try Self.graph(
      cfg, hasMLPs: nodes.contains { $0.key.hasPrefix("m") }, path: path, expected: graph)
    let offsets = graph.edgeOffsets
    var isIn = [Bool](repeating: false, count: graph.edgeCount)
    var scores = [Double](repeating: 0, count: graph.edgeCount)
    for member in edges {
      guard let edge = GraphEdge(member.key) else { throw bad("'\(member.key)' is not the name of an edge") }
      let (source, reader) = try graph.numbers(of: edge)
      guard let value = member.value["in_graph"]?.truth else {
        throw bad("edge '\(member.key)' does not say whether it is \"in_graph\"")
      }
      isIn[offsets[reader] + source] = value
      scores[offsets[reader] + source] = member.value["score"]?.anyNumber ?? 0
    }
    var nodeScores = [Double](repeating: 0, count: graph.sourceCount)
    var kept: Set<GraphNode> = []
    for member in nodes where member.key != "logits" {
      guard let node = GraphNode(member.key), let index = graph.sourceIndex(of: node) else {
        throw .absentNode(member.key, graph: graph)
      }
      nodeScores[index] = member.value["score"]?.anyNumber ?? 0
      if member.value["in_graph"]?.truth == true { kept.insert(node) }
    }
    let hasScores = nodes.contains { $0.value["score"] != nil }
    self.init(
      Circuit(graph, edges: isIn), edgeScores: scores, nodeScores: hasScores ? nodeScores : nil,
      dModel: cfg["d_model"]?.wholeNumber ?? 0, provenance: json["headlamp"]?.members ?? [])
    self.nodes = kept
  }
}
