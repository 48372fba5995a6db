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

  /// The architecture for a vocabulary and a longest prompt.
  public func architecture(vocabulary: Int, longest: Int) -> TrainableArchitecture {
    var architecture = TrainableArchitecture(
      vocabulary: vocabulary, context: max(32, (longest + 15) / 16 * 16), layers: layers, heads: heads,
      modelWidth: modelWidth, headWidth: headWidth,
      mlp: mlpWidth == 0 ? nil : .init(width: mlpWidth))
    architecture.tiesUnembedding = false
    return architecture
  }

  /// Every setting as text: what must be the same when training goes on.
  public var description: String {
    [
      "layers \(layers)", "heads \(heads)", "d_model \(modelWidth)",
      "d_head \(headWidth ?? modelWidth / max(1, heads))", "d_mlp \(mlpWidth)", "steps \(steps)",
      "batch \(batch)", "learning rate \(learningRate)", "weight decay \(weightDecay)", "seed \(seed)",
      "pairs \(corpus.pairs)", "text weight \(corpus.textWeight)", "negative share \(corpus.negativeShare)",
      "evaluated every \(evaluationInterval) on \(evaluationPrompts)",
    ].joined(separator: ", ")
  }
}
