// What can go wrong between a recording and its probes, with the values that explain it.

/// A failure to probe a recording.
public enum ProbeError: Error, Equatable, Sendable {
  /// Neither the recording nor a file of fields has this field; `nearest` is what may have been meant.
  case noField(name: String, nearest: String?, known: [String])
  /// A line of a file of fields cannot be read.
  case badLine(path: String, line: Int, problem: String)
  /// A file of fields has another number of records than the recording has prompts.
  case otherCount(path: String, records: Int, prompts: Int)
  /// A file of fields has another prompt than the recording at the same place.
  case otherPrompt(path: String, line: Int, prompt: Int)
  /// A prompt has no token at a position.
  case noToken(prompt: Int, position: Int, length: Int)
  /// Fewer than two classes have enough examples.
  case tooFewClasses(field: String, classes: Int, least: Int, examples: Int)
  /// More classes than are probed.
  case tooManyClasses(field: String, classes: Int, most: Int)
  /// Prompts that belong together leave a class without any that train, or that are held out.
  case cannotSplit(field: String, name: String, isTraining: Bool)
  /// No position has enough prompts.
  case noPosition(least: Int)
  /// The recording has no prompts, or too few.
  case tooFewPrompts(path: String, prompts: Int, least: Int)
  /// A file is no normality model, or a damaged one.
  case notANormality(path: String, problem: String)
  /// A normality model was fitted to another model's outputs, or to other places.
  case otherModel(fact: String, fitted: String, given: String)
}
