// ACDC's own graph, which counts otherwise: a head's inputs, its q, k and v and its result are nodes of their own.
//
// Source: Conmy et al. 2023, "Towards Automated Circuit Discovery" (arXiv 2304.14997), public code
// (TLACDCCorrespondence, without positional embeddings apart). GPT-2 small has 32,923 edges there.

/// A node of ACDC's graph, named by the hook that holds it.
public enum ACDCNode: Hashable, Sendable {
  /// The embedding: `blocks.0.hook_resid_pre[:]`.
  case embedding
  /// A head's q, k or v input: `blocks.3.hook_q_input[:, :, 2]`.
  case headInput(layer: Int, head: Int, HeadInput)
  /// A head's queries, keys or values: `blocks.3.attn.hook_q[:, :, 2]`.
  case headVector(layer: Int, head: Int, HeadInput)
  /// A head's output: `blocks.3.attn.hook_result[:, :, 2]`.
  case headResult(layer: Int, head: Int)
  /// An MLP's input: `blocks.3.hook_mlp_in[:]`.
  case mlpInput(layer: Int)
  /// An MLP's output: `blocks.3.hook_mlp_out[:]`.
  case mlpOutput(layer: Int)
  /// The end of the residual stream: `blocks.11.hook_resid_post[:]`; `layer` is the last.
  case output(layer: Int)
}

extension ACDCNode: CustomStringConvertible {
  /// ACDC's text of the node: hook and index.
  public var description: String {
    switch self {
    case .embedding: "blocks.0.hook_resid_pre[:]"
    case .headInput(let layer, let head, let input):
      "blocks.\(layer).hook_\(input.rawValue)_input[:, :, \(head)]"
    case .headVector(let layer, let head, let input):
      "blocks.\(layer).attn.hook_\(input.rawValue)[:, :, \(head)]"
    case .headResult(let layer, let head): "blocks.\(layer).attn.hook_result[:, :, \(head)]"
    case .mlpInput(let layer): "blocks.\(layer).hook_mlp_in[:]"
    case .mlpOutput(let layer): "blocks.\(layer).hook_mlp_out[:]"
    case .output(let layer): "blocks.\(layer).hook_resid_post[:]"
    }
  }
}

/// An edge of ACDC's graph.
public struct ACDCEdge: Hashable, Sendable {
  /// What an edge stands for.
  public enum Kind: Sendable {
    /// The child is a sum, and the parent one of its terms.
    case addition
    /// The child is computed from the parent alone.
    case computation
    /// The child is computed from several parents; such edges are never removed and not counted.
    case placeholder
  }

  /// The earlier node.
  public var parent: ACDCNode
  /// The later node.
  public var child: ACDCNode

  /// An edge.
  public init(from parent: ACDCNode, to child: ACDCNode) {
    self.parent = parent
    self.child = child
  }

  /// What the edge stands for.
  public var kind: Kind {
    switch child {
    case .embedding, .headResult, .mlpOutput: .placeholder
    case .headVector: .computation
    case .headInput, .mlpInput, .output: .addition
    }
  }
}

extension ACDCEdge: CustomStringConvertible {
  /// `parent->child`, in ACDC's texts.
  public var description: String { "\(parent)->\(child)" }
}

/// ACDC's graph of a model whose blocks are sequential.
public struct ACDCGraph: Hashable, Sendable {
  /// The same model's graph of nodes and destinations; its edges are ACDC's edges of addition.
  public let graph: CircuitGraph

  /// The graph of a model of this size.
  /// - Precondition: there is a layer and a head.
  public init(layers: Int, heads: Int, hasMLPs: Bool = true) {
    graph = CircuitGraph(layers: layers, heads: heads, hasMLPs: hasMLPs)
  }

  /// Every edge that counts: first those of addition, in the order of `graph`, then one for each q, k and v.
  public var edges: [ACDCEdge] {
    graph.edges.map { edge(for: $0) }
      + headInputs.map { computation(of: $0.layer, $0.head, $0.input) }
  }

  /// The edges that are neither removed nor counted.
  public var placeholders: [ACDCEdge] {
    headInputs.map { place in
      ACDCEdge(
        from: .headVector(layer: place.layer, head: place.head, place.input),
        to: .headResult(layer: place.layer, head: place.head))
    }
      + (graph.hasMLPs ? 0..<graph.layers : 0..<0).map { layer in
        ACDCEdge(from: .mlpInput(layer: layer), to: .mlpOutput(layer: layer))
      }
  }

  /// The number of edges that count: edges of addition, and three for each head.
  public var edgeCount: Int { graph.edgeCount + 3 * graph.layers * graph.heads }

  /// ACDC's edge of addition that is an edge of `graph`.
  public func edge(for edge: GraphEdge) -> ACDCEdge {
    let parent: ACDCNode =
      switch edge.source {
      case .input: .embedding
      case .head(let layer, let head): .headResult(layer: layer, head: head)
      case .mlp(let layer): .mlpOutput(layer: layer)
      }
    let child: ACDCNode =
      switch edge.destination {
      case .head(let layer, let head, let input): .headInput(layer: layer, head: head, input)
      case .mlp(let layer): .mlpInput(layer: layer)
      case .logits: .output(layer: graph.layers - 1)
      }
    return ACDCEdge(from: parent, to: child)
  }

  /// The edge from one of a head's inputs to what is computed from it.
  func computation(of layer: Int, _ head: Int, _ input: HeadInput) -> ACDCEdge {
    ACDCEdge(
      from: .headInput(layer: layer, head: head, input), to: .headVector(layer: layer, head: head, input))
  }

  private var headInputs: [(layer: Int, head: Int, input: HeadInput)] {
    (0..<graph.layers).flatMap { layer in
      (0..<graph.heads).flatMap { head in HeadInput.allCases.map { (layer, head, $0) } }
    }
  }
}
