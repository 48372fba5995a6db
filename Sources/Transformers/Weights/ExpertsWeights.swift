// The parameters of one layer's experts.

import Tensors

/// Experts and the router that chooses among them.
public struct ExpertsWeights: Sendable {
  /// d_model → a score for each expert.
  public var router: Linear
  /// The experts. Their matrices stay in their file until a token passes them.
  public var experts: [ExpertWeights]

  /// A router and its experts.
  public init(router: Linear, experts: [ExpertWeights]) {
    self.router = router
    self.experts = experts
  }
}

/// One expert: a gated MLP.
public struct ExpertWeights: Sendable {
  /// How the hidden layer's two parts are made.
  public enum Input: Sendable {
    /// A map each.
    case separate(gate: Linear, up: Linear)
    /// One map, whose even outputs are the gate's and odd ones the other part's (GPT-OSS).
    case interleaved(Linear)
  }

  /// d_model → hidden layer.
  public var input: Input
  /// Hidden layer → d_model.
  public var output: Linear

  /// A gated MLP.
  public init(input: Input, output: Linear) {
    self.input = input
    self.output = output
  }
}
