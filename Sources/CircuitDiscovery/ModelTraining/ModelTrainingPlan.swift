// What model is trained, and how.

import Tensors
import Transformers

/// The settings of a training; with the tasks they decide every bit of the model.
public struct ModelTrainingPlan: Sendable, Equatable {
  /// Blocks.
  public var layers = 4
  /// Heads in a block.
  public var heads = 8
  /// Width of the residual stream.
  public var modelWidth = 64
  /// Width of a head; modelWidth / heads where nil.
  public var headWidth: Int?
  /// Neurons in a block; 0 for attention only.
  public var mlpWidth = 256
  /// What differs from GPT-2.
  public var style = ModelStyle()
  /// Codebooks on heads and MLPs; nil for none.
  public var codebooks: CodebookConfiguration?
  /// How codes are kept alive and drawn to what they stand for.
  public var codes = CodeTraining()
  /// Updates.
  public var steps = 3000
  /// Prompts in a batch.
  public var batch = 64
  /// The largest learning rate.
  public var learningRate = 2e-3
  /// Weight decay of matrices.
  public var weightDecay = 0.01
  /// Seed of parameters, prompts and batches.
  public var seed: UInt64 = 0
  /// How prompts become examples.
  public var corpus = CorpusSettings()
  /// Steps from one examination to the next.
  public var evaluationInterval = 250
  /// Held-out prompts of each task in an examination on the way; the last one asks all.
  public var evaluationPrompts = 200

  /// The usual settings.
  public init() {}

  /// Steps in which the learning rate rises.
  public var warmUp: Int { min(200, max(1, steps / 10)) }

  /// The optimiser.
  public var optimizer: Transformers.AdamW { Transformers.AdamW(weightDecay: weightDecay) }

  /// The learning rate by step.
  public var schedule: LearningRateSchedule {
    LearningRateSchedule(peak: learningRate, warmUp: warmUp, steps: steps)
  }

  /// The model for a vocabulary and a longest prompt.
  public func blueprint(vocabulary: Int, longest: Int) -> TransformerBlueprint {
    var blueprint = TransformerBlueprint(
      vocabulary: vocabulary, context: max(32, (longest + 15) / 16 * 16), layers: layers, heads: heads,
      dModel: modelWidth, dHead: headWidth, mlpWidth: mlpWidth)
    blueprint.configuration.codebooks = codebooks
    let style = style
    blueprint.configuration.keyValueHeads = style.keyValueHeads ?? heads
    if style.hasRotaryPositions {
      blueprint.configuration.positions = .rotary
      let rotary = RotaryConfiguration(dimension: blueprint.configuration.dHead / 2 * 2, base: 10000)
      for layer in 0..<layers { blueprint.configuration.attention[layer].rotary = rotary }
    }
    if style.hasGatedMLPs, mlpWidth > 0 {
      blueprint.configuration.mlp = .gated
      blueprint.configuration.activation = .silu
    }
    if style.isParallel { blueprint.configuration.residual = .parallel }
    switch style.norm {
    case .layer: break
    case .rootMeanSquare:
      blueprint.configuration.normalization = .rootMeanSquare(epsilon: 1e-6, gainOffset: 0)
    case .none: blueprint.configuration.normalization = nil
    }
    return blueprint
  }

  /// Every setting as text: what must be the same when training goes on.
  public var description: String {
    [
      "layers \(layers)", "heads \(heads)", "d_model \(modelWidth)",
      "d_head \(headWidth ?? modelWidth / max(1, heads))", "d_mlp \(mlpWidth)", "steps \(steps)",
      "batch \(batch)", "learning rate \(learningRate)", "weight decay \(weightDecay)", "seed \(seed)",
      "pairs \(corpus.pairs)", "text weight \(corpus.textWeight)", "negative share \(corpus.negativeShare)",
      "evaluated every \(evaluationInterval) on \(evaluationPrompts)",
    ].joined(separator: ", ") + style.description + codebookDescription
  }
}

extension ModelTrainingPlan {
  /// New codebooks, or how those of a model that exists learn, as text; empty without any.
  private var codebookDescription: String {
    guard let codebooks else { return codes == CodeTraining() ? "" : ", \(codes.description)" }
    let places = codebooks.places.map(\.rawValue).sorted().joined(separator: " and ")
    return ", \(codebooks.codes) codes on \(places), \(codebooks.active) active, "
      + "\(codebooks.similarity.rawValue), \(codes.description)"
  }
}

/// How a trained model differs from GPT-2: learned positions, layer norms, plain MLPs behind attention.
public struct ModelStyle: Sendable, Equatable {
  /// Norms of the residual stream.
  public enum Norm: String, Sendable, CaseIterable {
    case layer
    case rootMeanSquare = "rms"
    case none
  }

  /// Key and value heads of a layer, where several query heads share them.
  public var keyValueHeads: Int?
  /// Whether queries and keys are turned by their positions, in place of learned positions.
  public var hasRotaryPositions = false
  /// Whether MLPs are gated, with SiLU.
  public var hasGatedMLPs = false
  /// Whether attention and MLP read the same stream.
  public var isParallel = false
  /// Norms of the residual stream.
  public var norm = Norm.layer

  /// GPT-2.
  public init() {}

  /// What differs, as text; empty for GPT-2.
  var description: String {
    [
      keyValueHeads.map { "key-value heads \($0)" }, hasRotaryPositions ? "rotary positions" : nil,
      hasGatedMLPs ? "gated MLPs" : nil, isParallel ? "parallel" : nil,
      norm == .layer ? nil : "norm \(norm.rawValue)",
    ].compactMap { $0 }.map { ", " + $0 }.joined()
  }
}
