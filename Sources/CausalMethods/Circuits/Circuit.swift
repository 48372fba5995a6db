// A part of a model's graph: which edges count.

/// Edges of a graph, chosen.
public struct Circuit: Hashable, Sendable {
  /// The graph.
  public let graph: CircuitGraph
  /// Whether each edge is in, reader by reader.
  public private(set) var edges: [Bool]

  /// A circuit of given edges.
  /// - Precondition: one entry for every edge.
  public init(_ graph: CircuitGraph, edges: [Bool]) {
    precondition(edges.count == graph.edgeCount, "\(edges.count) edges of \(graph.edgeCount)")
    self.graph = graph
    self.edges = edges
  }

  /// Everything.
  public static func whole(_ graph: CircuitGraph) -> Circuit {
    Circuit(graph, edges: [Bool](repeating: true, count: graph.edgeCount))
  }

  /// Nothing.
  public static func empty(_ graph: CircuitGraph) -> Circuit {
    Circuit(graph, edges: [Bool](repeating: false, count: graph.edgeCount))
  }

  /// All edges among some writers, and from the input and to the logits.
  public init(_ graph: CircuitGraph, nodes: Set<GraphNode>) {
    let kept = nodes.union([.input])
    self.init(
      graph,
      edges: graph.edges.map { edge in
        kept.contains(edge.source) && edge.destination.node.map { kept.contains($0) } ?? true
      })
  }

  /// The `count` edges with the highest scores, or the largest ones in size.
  ///
  /// Of equal scores the earlier edge is taken, reader by reader.
  public init(_ graph: CircuitGraph, top count: Int, scores: [Double], bySize: Bool = true) {
    let keys = bySize ? scores.map(abs) : scores
    let order = keys.indices.sorted { keys[$0] != keys[$1] ? keys[$0] > keys[$1] : $0 < $1 }
    var edges = [Bool](repeating: false, count: graph.edgeCount)
    for edge in order.prefix(count) { edges[edge] = true }
    self.init(graph, edges: edges)
  }

  /// `count` edges taken from the logits up: always the best edge into a node that is in already (EAP-IG's
  /// `apply_greedy`).
  public init(_ graph: CircuitGraph, greedily count: Int, scores: [Double], bySize: Bool = true) {
    let keys = bySize ? scores.map(abs) : scores
    let offsets = graph.edgeOffsets
    var edges = [Bool](repeating: false, count: graph.edgeCount)
    var isIn = [Bool](repeating: false, count: graph.sourceCount)
    isIn[0] = true
    /// Edges into nodes that are in, by key; each reader's are sorted when it comes in.
    var open: [(reader: Int, sources: [Int], next: Int)] = []
    func add(_ reader: Int) {
      let sources = (0..<graph.sourceCount(before: reader)).sorted {
        let (a, b) = (keys[offsets[reader] + $0], keys[offsets[reader] + $1])
        return a != b ? a > b : $0 < $1
      }
      open.append((reader, sources, 0))
    }
    add(graph.destinationCount - 1)
    for _ in 0..<count {
      var best: (place: Int, key: Double)?
      for (place, entry) in open.enumerated() where entry.next < entry.sources.count {
        let key = keys[offsets[entry.reader] + entry.sources[entry.next]]
        if best.map({ key > $0.key }) ?? true { best = (place, key) }
      }
      guard let best else { break }
      let entry = open[best.place]
      let source = entry.sources[entry.next]
      open[best.place].next += 1
      edges[offsets[entry.reader] + source] = true
      guard !isIn[source] else { continue }
      isIn[source] = true
      switch graph.source(source) {
      case .input: break
      case .mlp(let layer): if let reader = graph.destinationIndex(of: .mlp(layer: layer)) { add(reader) }
      case .head(let layer, let head):
        for input in HeadInput.allCases {
          if let reader = graph.destinationIndex(of: .head(layer: layer, head: head, input)) { add(reader) }
        }
      }
    }
    self.init(graph, edges: edges)
  }

  /// Number of edges that are in.
  public var edgeCount: Int { edges.count { $0 } }

  /// Writers with an edge that goes out.
  public var sources: Set<Int> {
    let offsets = graph.edgeOffsets
    var found: Set<Int> = []
    for reader in 0..<graph.destinationCount {
      for source in 0..<graph.sourceCount(before: reader) where edges[offsets[reader] + source] {
        found.insert(source)
      }
    }
    return found
  }

  /// Whether an edge is in.
  public func contains(source: Int, reader: Int, offsets: [Int]) -> Bool { edges[offsets[reader] + source] }

  /// The circuit without nodes that nothing feeds or that feed nothing, and without their edges, until none is left.
  public func pruned() -> Circuit {
    let offsets = graph.edgeOffsets
    let readerNodes: [Int?] = (0..<graph.destinationCount).map { reader in
      graph.destination(reader).node.flatMap { graph.sourceIndex(of: $0) }
    }
    var result = self
    while true {
      var feeds = [Bool](repeating: false, count: graph.sourceCount)
      var isFed = feeds
      isFed[0] = true
      for reader in 0..<graph.destinationCount {
        for source in 0..<graph.sourceCount(before: reader) where result.edges[offsets[reader] + source] {
          feeds[source] = true
          if let node = readerNodes[reader] { isFed[node] = true }
        }
      }
      var isChanged = false
      for reader in 0..<graph.destinationCount {
        let isReaderIn = readerNodes[reader].map { feeds[$0] && isFed[$0] } ?? true
        for source in 0..<graph.sourceCount(before: reader) where result.edges[offsets[reader] + source] {
          if !(isReaderIn && feeds[source] && isFed[source]) {
            result.edges[offsets[reader] + source] = false
            isChanged = true
          }
        }
      }
      if !isChanged { return result }
    }
  }

  /// The circuit with one edge more or less.
  public func setting(_ edge: Int, to isIn: Bool) -> Circuit {
    var result = self
    result.edges[edge] = isIn
    return result
  }

  /// The edges that this circuit lacks.
  public var complement: Circuit { Circuit(graph, edges: edges.map { !$0 }) }
}

/// The shares of edges at which MIB scores circuits (Mueller et al. 2025, arXiv 2504.13151, section 3.2).
public let circuitShares = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]
