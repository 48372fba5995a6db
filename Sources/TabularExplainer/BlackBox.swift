// The seam between a model and everything that explains it: rows in, probabilities out.

import Tables
import Tensors

/// Anything that turns rows into probabilities (or, for regression, into one quantity).
public protocol BlackBox: Sendable {
  /// The classes' names, or one name for a regression.
  var outputNames: [String] { get }

  /// Predictions for every row.
  /// - Returns: shape `[rows, outputs]`; rows sum to 1 where the outputs are classes.
  /// - Throws: where the rows do not have the features the model was made for, or an outside program fails.
  func predict(_ features: Features) throws -> Tensor
}
