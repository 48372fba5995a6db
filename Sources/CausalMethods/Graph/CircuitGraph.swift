// The graph of a transformer: every earlier writer feeds every later reader.

import Transformers

/// All nodes and edges of a model of given sizes, counted.
///
/// Writers stand in the order of computation: input, then for each layer its heads and its MLP. Readers likewise: for
/// each layer q, k and v of each head and the MLP's input, then the logits. A reader is fed by all writers before its
/// place, so its edges are a prefix of the writers, and an edge is a pair of numbers.
///
/// GPT-2 small has 157 writers (158 nodes with the logits) and 32,491 edges.
public struct CircuitGraph: Hashable, Sendable {
  /// Number of layers.
  public let layers: Int
  /// Query heads of a layer.
  public let heads: Int
  /// Whether layers have MLPs.
  public let hasMLPs: Bool
  /// Whether attention and MLP of a layer read the same stream.
  public let isParallel: Bool

  /// A graph of these sizes.
  public init(layers: Int, heads: Int, hasMLPs: Bool = true, isParallel: Bool = false) {
    self.layers = layers
    self.heads = heads
    self.hasMLPs = hasMLPs
    self.isParallel = isParallel
  }

  /// The graph of a model.
  public init(_ configuration: TransformerConfiguration) {
    self.init(
      layers: configuration.layers, heads: configuration.heads, hasMLPs: configuration.mlp != .none,
      isParallel: configuration.residual == .parallel)
  }

  /// Writers of a layer.
  private var layerSources: Int { heads + (hasMLPs ? 1 : 0) }
  /// Readers of a layer.
  private var layerDestinations: Int { 3 * heads + (hasMLPs ? 1 : 0) }

  /// Number of writers.
  public var sourceCount: Int { 1 + layers * layerSources }
  /// Number of readers.
  public var destinationCount: Int { layers * layerDestinations + 1 }
  /// Number of nodes, the logits included.
  public var nodeCount: Int { sourceCount + 1 }
  /// Number of edges.
  public var edgeCount: Int { (0..<destinationCount).reduce(0) { $0 + sourceCount(before: $1) } }

  /// The writer of a number.
  public func source(_ index: Int) -> GraphNode {
    guard index > 0 else { return .input }
    let (layer, place) = (index - 1).quotientAndRemainder(dividingBy: layerSources)
    return place < heads ? .head(layer: layer, head: place) : .mlp(layer: layer)
  }

  /// The number of a writer; nil where the model lacks it.
  public func sourceIndex(of source: GraphNode) -> Int? {
    switch source {
    case .input: 0
    case .head(let layer, let head):
      (0..<layers).contains(layer) && (0..<heads).contains(head) ? 1 + layer * layerSources + head : nil
    case .mlp(let layer):
      (0..<layers).contains(layer) && hasMLPs ? 1 + layer * layerSources + heads : nil
    }
  }

  /// The reader of a number.
  public func destination(_ index: Int) -> GraphDestination {
    guard index < destinationCount - 1 else { return .logits }
    let (layer, place) = index.quotientAndRemainder(dividingBy: layerDestinations)
    guard place < 3 * heads else { return .mlp(layer: layer) }
    return .head(layer: layer, head: place / 3, HeadInput.allCases[place % 3])
  }

  /// The number of a reader; nil where the model lacks it.
  public func destinationIndex(of destination: GraphDestination) -> Int? {
    switch destination {
    case .logits: destinationCount - 1
    case .head(let layer, let head, let input):
      (0..<layers).contains(layer) && (0..<heads).contains(head)
        ? layer * layerDestinations + 3 * head + (HeadInput.allCases.firstIndex(of: input) ?? 0) : nil
    case .mlp(let layer):
      (0..<layers).contains(layer) && hasMLPs ? layer * layerDestinations + 3 * heads : nil
    }
  }

  /// How many writers, from the first, feed a reader.
  public func sourceCount(before index: Int) -> Int {
    switch destination(index) {
    case .logits: sourceCount
    case .head(let layer, _, _): 1 + layer * layerSources
    case .mlp(let layer): 1 + layer * layerSources + (isParallel ? 0 : heads)
    }
  }

  /// Where each reader's edges begin in a list of all edges, reader by reader; one more entry for the end.
  public var edgeOffsets: [Int] {
    (0..<destinationCount).reduce(into: [0]) { $0.append($0[$0.count - 1] + sourceCount(before: $1)) }
  }

  /// All edges, reader by reader.
  public var edges: [GraphEdge] {
    (0..<destinationCount).flatMap { reader in
      (0..<sourceCount(before: reader)).map { GraphEdge(source($0), destination(reader)) }
    }
  }

  /// The numbers of an edge's ends.
  /// - Throws: `CausalError.absentEdge` where the model lacks it.
  public func numbers(of edge: GraphEdge) throws(CausalError) -> (source: Int, destination: Int) {
    guard let source = sourceIndex(of: edge.source),
      let destination = destinationIndex(of: edge.destination),
      source < sourceCount(before: destination)
    else { throw .absentEdge(edge.description, graph: self) }
    return (source, destination)
  }

  /// The number of an edge among all edges, reader by reader; nil where the model lacks it.
  public func edgeNumber(of edge: GraphEdge) -> Int? {
    guard let source = sourceIndex(of: edge.source), let reader = destinationIndex(of: edge.destination),
      source < sourceCount(before: reader)
    else { return nil }
    return (0..<reader).reduce(source) { $0 + sourceCount(before: $1) }
  }

  /// The hook point where a reader's value can be read or edited, and the head there.
  public func place(of destination: GraphDestination) -> (point: HookPoint, head: Int?) {
    switch destination {
    case .head(let layer, let head, let input): (input.point(layer: layer), head)
    case .mlp(let layer): (.mlpInput(layer: layer), nil)
    case .logits: (.residPost(layer: layers - 1), nil)
    }
  }
}

extension CircuitGraph: CustomStringConvertible {
  /// The sizes in words.
  public var description: String {
    "\(layers) layers of \(heads) heads" + (hasMLPs ? "" : " without MLPs")
      + (isParallel ? ", attention and MLP side by side" : "")
  }
}
