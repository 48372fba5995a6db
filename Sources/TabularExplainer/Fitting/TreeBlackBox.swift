// Every tree model is a black box.

import Tables
import Tensors
import Trees

/// A tree ensemble seen as a black box: predictions only.
public struct TreeBlackBox: BlackBox {
  /// The trees.
  public let ensemble: TreeEnsemble

  /// A black box that answers with `ensemble`'s predictions.
  public init(_ ensemble: TreeEnsemble) { self.ensemble = ensemble }

  /// The classes' names, or one name for a regression.
  public var outputNames: [String] { ensemble.outputNames }

  /// The ensemble's predictions, shape `[rows, outputs]`.
  public func predict(_ features: Features) throws -> Tensor { try ensemble.predict(features) }
}
