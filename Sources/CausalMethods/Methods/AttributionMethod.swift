// A method that says how much nodes or edges matter: one file each, one protocol, one list.

import Transformers

/// How a method is run.
public struct AttributionOptions: Sendable {
  /// What stands in for a writer's output.
  public var replacement = SourceReplacement.pair
  /// Steps of integrated gradients.
  public var steps = 5
  /// Seed of random choices.
  public var seed: UInt64 = 0
  /// About how many tokens run at once.
  public var tokenLimit = 448
  /// What else a method asks for, by name; see its `settings`.
  public var settings: [String: Double] = [:]

  /// The usual options.
  public init() {}
}

/// What a method found.
public struct AttributionResult: Sendable {
  /// The graph that nodes and edges are counted in.
  public var graph: CircuitGraph
  /// Scores of writers, prompt by prompt: `[prompt][source]`; nil where the method scores edges alone.
  public var nodes: [[Double]]?
  /// Scores of edges, prompt by prompt: `[prompt][edge]`, reader by reader; nil where it scores nodes alone.
  public var edges: [[Float]]?
  /// Edges that a method chose by itself.
  public var circuit: Set<Int>?
  /// The metric of each clean prompt.
  public var metric: [Double]

  /// A result.
  public init(
    graph: CircuitGraph, nodes: [[Double]]? = nil, edges: [[Float]]? = nil, circuit: Set<Int>? = nil,
    metric: [Double]
  ) {
    self.graph = graph
    self.nodes = nodes
    self.edges = edges
    self.circuit = circuit
    self.metric = metric
  }

  /// The same for some of the prompts.
  public func selecting(_ prompts: [Int]) -> AttributionResult {
    var part = self
    part.nodes = nodes.map { rows in prompts.map { rows[$0] } }
    part.edges = edges.map { rows in prompts.map { rows[$0] } }
    part.metric = prompts.map { metric[$0] }
    return part
  }

  /// The mean over prompts of each writer's score.
  public var nodeScores: [Double]? { nodes.map(mean) }

  /// The mean over prompts of each edge's score.
  public var edgeScores: [Double]? {
    guard let edges, let first = edges.first else { return nil }
    var sums = [Double](repeating: 0, count: first.count)
    for row in edges { for (index, value) in row.enumerated() { sums[index] += Double(value) } }
    return sums.map { $0 / Double(edges.count) }
  }

  private func mean(_ rows: [[Double]]) -> [Double] {
    guard let first = rows.first else { return [] }
    return first.indices.map { index in rows.reduce(0) { $0 + $1[index] } / Double(rows.count) }
  }
}

/// One way to attribute a metric to nodes or edges.
public protocol AttributionMethod: Sendable {
  /// The name typed on the command line.
  static var name: String { get }
  /// What it scores, in a few words.
  static var summary: String { get }
  /// Its cost, in runs up and back over the prompts.
  static var cost: String { get }
  /// Where it comes from.
  static var source: String { get }
  /// Whether it scores edges; else nodes.
  static var scoresEdges: Bool { get }
  /// Whether a prompt's scores are the same whichever prompts stand beside it, so that prompts can be scored in parts.
  static var scoresPromptsAlone: Bool { get }
  /// Replacements that it can work with.
  static var replacements: [SourceReplacement] { get }

  init()

  /// Scores every node or edge.
  /// - Parameter progress: called with batches done and their number.
  /// - Throws: `CausalError` for a task that it cannot be run on, `TransformerError` for prompts the model cannot read.
  func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult
}

extension AttributionMethod {
  /// Most methods look at one prompt at a time.
  public static var scoresPromptsAlone: Bool { true }
}

/// Every method, in the order of the list that users see.
public let attributionMethods: [any AttributionMethod.Type] = [
  AttributionPatching.self, IntegratedGradients.self, GradDropPatching.self,
  AttributionPatchingStar.self, RelevancePatching.self,
  HeadImportance.self, NodePatching.self, EdgeAttribution.self, IntegratedInputs.self,
  IntegratedActivations.self, CleanCorrupted.self, RelevanceEdges.self, InformationFlow.self,
  EdgePatching.self,
  ACDC.self, NodeMask.self, EdgeMask.self,
]

/// The method of a name.
public func attributionMethod(named name: String) -> (any AttributionMethod.Type)? {
  attributionMethods.first { $0.name == name }
}
