// Circuit files in PyTorch's form: matrices over sources and destinations, read as data.

import Checkpoints
import Files
import Tensors

extension ScoredCircuit {
  /// Reads a file that EAP-IG's `Graph.to_pt` has written; its destinations are q of all heads, then k, then v.
  ///
  /// - Throws: `FileError` or `CheckpointError` where the file cannot be read, `CausalError` where it is not a circuit, one of
  ///   another model, or one that chooses neurons.
  init(pyTorchPath path: String, graph: CircuitGraph?) throws {
    func bad(_ problem: String) -> CausalError { .badCircuit(path: path, problem: problem) }
    let plain = try plainData(ofPyTorchFileAt: path)
    guard let cfg = plain["cfg"], let readers = plain["dst_nodes"]?.elements?.compactMap(\.text),
      let sources = plain["src_nodes"]?.elements?.compactMap(\.text)
    else { throw bad("it needs \"cfg\", \"src_nodes\" and \"dst_nodes\"") }
    let graph = try Self.graph(
      cfg, hasMLPs: sources.contains { $0.hasPrefix("m") }, path: path, expected: graph)
    if plain["neurons_in_graph"] != nil {
      throw bad("it chooses neurons of a node, and only whole nodes and edges can be run")
    }
    guard sources == (0..<graph.sourceCount).map({ graph.source($0).description }),
      readers.count == graph.destinationCount
    else { throw bad("its node names are not those of \(graph)") }
    let tensors = try SafetensorsFile(pyTorchPath: path)
    let matrix = [graph.sourceCount, graph.destinationCount]
    for name in ["edges_scores", "edges_in_graph"] { try tensors.requireShape(matrix, of: name) }
    let scores = try tensors.uncheckedNumbers("edges_scores")
    let isKept = try tensors.integers("edges_in_graph")
    var values = [Double](repeating: 0, count: graph.edgeCount)
    var keeps = [Bool](repeating: false, count: graph.edgeCount)
    let offsets = graph.edgeOffsets
    for (column, name) in readers.enumerated() {
      guard let destination = GraphDestination(name), let reader = graph.destinationIndex(of: destination)
      else { throw bad("'\(name)' is not a destination of \(graph)") }
      for source in 0..<graph.sourceCount(before: reader) {
        let place = source * graph.destinationCount + column
        guard scores[place].isFinite else {
          throw bad("the score of edge '\(graph.source(source))->\(name)' is not a finite number")
        }
        values[offsets[reader] + source] = Double(scores[place])
        keeps[offsets[reader] + source] = isKept[place] != 0
      }
    }
    var nodeScores: [Double]?
    if plain["nodes_scores"] != nil {
      try tensors.requireShape([graph.sourceCount], of: "nodes_scores")
      // A node that was not scored is NaN there.
      nodeScores = try tensors.uncheckedNumbers("nodes_scores").map { $0.isNaN ? 0 : Double($0) }
    }
    self.init(
      Circuit(graph, edges: keeps), edgeScores: values, nodeScores: nodeScores,
      dModel: cfg["d_model"]?.wholeNumber ?? 0, provenance: [])
  }
}
