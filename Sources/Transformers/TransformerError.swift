// What can go wrong in this module, with the values that explain it.

/// A failure to load or run a transformer.
public enum TransformerError: Error, Equatable, Sendable {
  /// A configuration is not JSON, or not an object.
  case malformedConfiguration(path: String, problem: String)
  /// A configuration names a kind of model that no family file describes.
  case unknownFamily(path: String, modelType: String, known: [String])
  /// A configuration names a kind of model that this description of blocks cannot hold.
  case refusedFamily(path: String, modelType: String, reason: String)
  /// A model's weights are stored in a quantised form that is not read.
  case quantizedWeights(path: String, method: String)
  /// A configuration lacks an option, or has a value of the wrong kind or out of range.
  case badOption(path: String, option: String, problem: String)
  /// A configuration has an option that would change the numbers in a way that is not implemented.
  case unsupportedOption(path: String, option: String, value: String)
  /// A vocabulary has more tokens than the embedding has rows.
  case vocabularyTooLarge(tokens: Int, embeddingRows: Int)
  /// A prompt has no tokens.
  case emptyPrompt(prompt: Int)
  /// A prompt is longer than the model's context.
  case promptTooLong(prompt: Int, length: Int, context: Int)
  /// A token id is not in the vocabulary.
  case tokenOutOfRange(prompt: Int, position: Int, id: Int, vocabulary: Int)
  /// A prompt goes on in several ways, and the model looks both ways.
  case continuationsBothWays(prompt: Int)
  /// A text is not the name of a hook point.
  case unknownHookPoint(String, layers: Int)
  /// A hook point is not part of this model.
  case absentHookPoint(HookPoint, reason: String)
  /// A metric is not a number on a prompt.
  case metricNotFinite(prompt: Int, value: Double)
  /// A file of reference activations lacks what is needed to compare.
  case malformedReference(path: String, problem: String)
}
