// What can go wrong in training, with the values that explain it.

/// A failure to train a transformer or to go on with its training.
public enum TrainingError: Error, Equatable, Sendable {
  /// A model has a part that the project's own folders have no word for.
  case notStorable(part: String)
  /// A checkpoint was made with another setting than is asked for now.
  case otherSetting(path: String, setting: String, found: String, expected: String)
  /// A checkpoint lacks something that training needs to go on.
  case incompleteCheckpoint(path: String, missing: String)
  /// The loss is no longer a finite number.
  case diverged(step: Int)
}
