// How autoencoders are trained for a ranking: choices as values, with the paper's and our own as two of them.

/// Which examples an autoencoder is trained on.
public enum ExampleChoice: String, Codable, Hashable, Sendable {
  /// Drawn from all examples, whatever their labels, as the authors do.
  case anyExamples
  /// Whole pairs of a positive and a negative where the recording has pairs; else half of each label.
  case balanced
}

/// The choices behind a training run, beyond its hyperparameters.
public struct TrainingProtocol: Codable, Hashable, Sendable {
  /// The protocol's name, stored in what it makes.
  public var name: String
  /// How many autoencoders are trained, each from a seed and on examples of its own; their scores are averaged.
  public var members: Int
  /// Which examples each is trained on.
  public var choice: ExampleChoice
  /// Whether a recording of each position is averaged over positions first.
  public var averagesPositions: Bool
  /// At most this many samples are trained on, drawn at random where there are more.
  public var sampleLimit: Int

  /// A protocol of the given choices.
  public init(
    name: String, members: Int, choice: ExampleChoice, averagesPositions: Bool, sampleLimit: Int = .max
  ) {
    precondition(members > 0 && sampleLimit > 0, "\(members) members, \(sampleLimit) samples")
    self.name = name
    self.members = members
    self.choice = choice
    self.averagesPositions = averagesPositions
    self.sampleLimit = sampleLimit
  }

  /// What O'Neill & Bui 2024 and their code do: one autoencoder on any examples, on the mean over positions.
  public static let paper = TrainingProtocol(
    name: "paper", members: 1, choice: .anyExamples, averagesPositions: true)

  /// Three autoencoders on balanced examples, each position kept apart where the recording has it.
  public static let change = TrainingProtocol(
    name: "change", members: 3, choice: .balanced, averagesPositions: false, sampleLimit: 4096)
}
