// A model that does not exist yet: its architecture, and which of its parts have parameters.

import Tensors

/// What a new model is made of. Everything that `TransformerConfiguration` can say can be trained.
public struct TransformerBlueprint: Sendable, Equatable {
  /// The architecture.
  public var configuration: TransformerConfiguration
  /// Whether attention and MLP products have biases.
  public var hasBiases = true
  /// Whether norms of the residual stream have a gain (and, for layer norms, a bias); without them they only scale.
  public var hasNormParameters = true
  /// Whether each query and key is normalised (Qwen 3).
  public var normalizesHeads = false
  /// Whether what attention and MLP add to the stream is normalised (Gemma 2).
  public var hasPostNorms = false
  /// Whether logits have a bias of their own.
  public var hasUnembeddingBias = false

  /// A blueprint of an architecture.
  public init(_ configuration: TransformerConfiguration) { self.configuration = configuration }

  /// GPT-2's choices: layer norms, learned positions, causal attention scaled by 1/√d_head.
  ///
  /// - Parameters:
  ///   - mlpWidth: neurons of a layer's MLP; 0 for attention only.
  ///   - normEpsilon: added to the variance in layer norms; nil where nothing is normalised.
  public init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, dModel: Int, dHead: Int? = nil, mlpWidth: Int,
    activation: Activation = .geluTanh, normEpsilon: Float? = 1e-5
  ) {
    let width = dHead ?? dModel / heads
    self.init(
      TransformerConfiguration(
        family: "headlamp", layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: width,
        dMLP: mlpWidth, vocabulary: vocabulary, context: context,
        normalization: normEpsilon.map { .layer(epsilon: $0) }, positions: .learned, activation: activation,
        mlp: mlpWidth == 0 ? .none : .plain,
        attention: Array(
          repeating: AttentionConfiguration(rule: AttentionRule(scale: 1 / Float(width).squareRoot())),
          count: layers)))
  }

  /// The model with gains of 1 and zeros elsewhere.
  public func transformer() -> Transformer {
    let dModel = configuration.dModel
    return Transformer(
      configuration: configuration,
      weights: TransformerWeights(
        tokenEmbedding: Weight(Tensor(zeros: [configuration.vocabulary, dModel])),
        positionEmbedding: configuration.positions == .learned
          ? Tensor(zeros: [configuration.context, dModel]) : nil,
        blocks: (0..<configuration.layers).map { _ in block },
        finalNorm: norm,
        unembedding: configuration.tiesEmbeddings
          ? nil : linear(dModel, configuration.vocabulary, hasBias: hasUnembeddingBias),
        tiedUnembeddingBias: configuration.tiesEmbeddings && hasUnembeddingBias
          ? Tensor(zeros: [configuration.vocabulary]) : nil))
  }

  private var block: BlockWeights {
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    let hasMLP = configuration.mlp != .none
    var block = BlockWeights(
      attentionNorm: norm, attention: attention, attentionPostNorm: hasPostNorms ? norm : nil,
      mlpNorm: hasMLP ? norm : nil,
      mlp: hasMLP
        ? MLPWeights(
          gate: configuration.mlp == .gated ? linear(dModel, dMLP) : nil, input: linear(dModel, dMLP),
          output: linear(dMLP, dModel))
        : nil,
      mlpPostNorm: hasMLP && hasPostNorms ? norm : nil)
    block.headCodes = codes(.heads)
    block.mlpCodes = hasMLP ? codes(.mlp) : nil
    return block
  }

  private func codes(_ place: CodebookConfiguration.Place) -> Tensor? {
    configuration.codebookShape(place).map { Tensor(zeros: [$0.books * $0.codes, $0.width]) }
  }

  private var attention: AttentionWeights {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    let (heads, groups) = (configuration.heads * dHead, configuration.keyValueHeads * dHead)
    let gain = normalizesHeads ? Tensor(repeating: ownGain, shape: [dHead]) : nil
    return AttentionWeights(
      projections: groups == heads
        ? .fused(linear(dModel, 3 * heads), .byKind)
        : .separate(
          queries: linear(dModel, heads), keys: linear(dModel, groups), values: linear(dModel, groups)),
      output: linear(heads, dModel), queryNorm: gain, keyNorm: gain)
  }

  /// The stored gain that leaves a normalised row as it is.
  private var ownGain: Float {
    if case .rootMeanSquare(_, let offset)? = configuration.normalization { 1 - offset } else { 1 }
  }

  private var norm: NormWeights? {
    guard let kind = configuration.normalization else { return nil }
    guard hasNormParameters else { return NormWeights(gain: nil) }
    let dModel = configuration.dModel
    let hasBias = if case .layer = kind { true } else { false }
    return NormWeights(
      gain: Tensor(repeating: ownGain, shape: [dModel]), bias: hasBias ? Tensor(zeros: [dModel]) : nil)
  }

  private func linear(_ inputs: Int, _ outputs: Int, hasBias: Bool? = nil) -> Linear {
    Linear(
      Weight(Tensor(zeros: [inputs, outputs])), .inputOutput,
      bias: hasBias ?? hasBiases ? Tensor(zeros: [outputs]) : nil)
  }
}
