// A black box together with what probing it has shown: all that an explanation starts from.

import Tables
import Tensors
import Trees

/// A black box, its honest outputs for the training rows, and what the features mean to it.
public struct ProbedBlackBox: Sendable {
  /// Where the outputs for the training rows come from.
  public enum OutputSource: String, Sendable, Codable {
    /// Each row by the trees that were not fitted to it.
    case outOfBag = "out-of-bag"
    /// Each row by a model fitted to the other folds.
    case crossFitted = "cross-fitted"
    /// By the given model, of which it is not known what rows it was fitted to.
    case given = "given"
    /// By the model itself, which was fitted to these rows among many others.
    case fitted = "fitted"
  }

  /// What the black box is called: `extra-trees`, a file's name.
  public var name: String
  /// The model that is explained.
  public var blackBox: any BlackBox
  /// Its outputs for the training rows, shape `[training rows, outputs]`.
  public var trainingOutputs: Tensor
  /// Where these come from.
  public var outputSource: OutputSource
  /// How important each feature is, by `importanceMethod`.
  public var importance: [Double]
  /// What the importance is: `mean_abs_shap`, `permutation`.
  public var importanceMethod: String
  /// Importance row by row, where it is known; `importance` is its mean.
  public var importanceByRow = ImportanceByRow()
  /// The trees behind the black box, where it is made of trees: their SHAP values are exact.
  public var ensemble: TreeEnsemble?
  /// Fits and probes a black box of the kind anew, to the given rows of a table; nil for a given black box.
  public var refit: (@Sendable (Table, [Int], UInt64) throws -> ProbedBlackBox)?

  /// A black box with what is known of it.
  public init(
    name: String, blackBox: any BlackBox, trainingOutputs: Tensor, outputSource: OutputSource,
    importance: [Double], importanceMethod: String, ensemble: TreeEnsemble? = nil
  ) {
    self.name = name
    self.blackBox = blackBox
    self.trainingOutputs = trainingOutputs
    self.outputSource = outputSource
    self.importance = importance
    self.importanceMethod = importanceMethod
    self.ensemble = ensemble
  }

  /// Whether the black box can be asked about rows that are not in the table.
  public var answersNewRows: Bool { !(blackBox is ColumnBlackBox) }

  /// Features by importance, the most important first; equal ones in the table's order.
  public var ranking: [Int] {
    importance.indices.sorted { (-importance[$0], $0) < (-importance[$1], $1) }
  }
}
