// What can go wrong in this module, with the values that explain it.

/// A failure to train, store or apply an autoencoder.
public enum SparseAutoencoderError: Error, Equatable, Sendable {
  /// The recording has examples of one label only, so nothing can be unique to the positives.
  case oneLabelOnly(positive: Bool, examples: Int)
  /// The recording has no examples.
  case noExamples
  /// More training examples were asked for than there are.
  case tooFewExamples(asked: Int, available: Int)
  /// A hyperparameter is out of range.
  case badHyperparameter(name: String, value: String, allowed: String)
  /// The file holds no autoencoder of this program.
  case notAnAutoencoder(path: String, problem: String)
  /// The autoencoder was trained on another recording than the one it is applied to.
  case anotherRecording(fact: String, trainedOn: String, given: String)
}
