// Autoencoders trained on a recording, and what they came from.

import Recordings
import Tensors

/// One autoencoder of a training run.
public struct TrainedMember: Sendable, Equatable {
  /// The weights.
  public var autoencoder: SparseAutoencoder
  /// The examples it was trained on, in ascending order.
  public var trainingExamples: [Int]
  /// The loss before each step.
  public var losses: [Double]

  /// A trained autoencoder.
  public init(autoencoder: SparseAutoencoder, trainingExamples: [Int], losses: [Double]) {
    self.autoencoder = autoencoder
    self.trainingExamples = trainingExamples
    self.losses = losses
  }
}

/// The outcome of training on a recording.
public struct TrainedAutoencoders: Sendable, Equatable {
  /// How they were trained.
  public var trainingProtocol: TrainingProtocol
  /// With which hyperparameters.
  public var hyperparameters: Hyperparameters
  /// From which seed.
  public var seed: UInt64
  /// SHA-256 of the recording.
  public var recordingSHA256: String
  /// The recording's provenance.
  public var source: RecordingDescription
  /// One autoencoder a seed.
  public var members: [TrainedMember]

  /// Trains on a recording.
  ///
  /// - Parameter progress: called after each step with the steps done and the steps there are in all.
  /// - Throws: `SparseAutoencoderError` where the recording cannot be trained on; `RecordingError` where it cannot be
  ///   read.
  public static func train(
    on recording: Recording, protocol trainingProtocol: TrainingProtocol, hyperparameters: Hyperparameters,
    seed: UInt64, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> TrainedAutoencoders {
    try hyperparameters.validate()
    try requireBothLabels(recording)
    guard hyperparameters.examples <= recording.examples.count else {
      throw SparseAutoencoderError.tooFewExamples(
        asked: hyperparameters.examples, available: recording.examples.count)
    }
    let digest = Background { try recording.sha256() }
    var members: [TrainedMember] = []
    let total = trainingProtocol.members * hyperparameters.epochs
    for member in 0..<trainingProtocol.members {
      var generator = SeededGenerator(seed: seed, stream: "autoencoder \(member)")
      let chosen = chooseExamples(
        recording, count: hyperparameters.examples, choice: trainingProtocol.choice, generator: &generator)
      let samples = try samples(recording, examples: chosen, trainingProtocol, generator: &generator)
      var trainer = AutoencoderTrainer(
        SparseAutoencoder(
          features: hyperparameters.features, width: recording.description.dModel, generator: &generator),
        samples: samples, hyperparameters: hyperparameters)
      var losses: [Double] = []
      for epoch in 0..<hyperparameters.epochs {
        losses.append(trainer.step())
        progress(member * hyperparameters.epochs + epoch + 1, total)
      }
      members.append(
        TrainedMember(autoencoder: trainer.autoencoder, trainingExamples: chosen.sorted(), losses: losses))
    }
    return TrainedAutoencoders(
      trainingProtocol: trainingProtocol, hyperparameters: hyperparameters, seed: seed,
      recordingSHA256: try digest.value, source: recording.description, members: members)
  }

  /// Refuses a recording that another model, or another run, made.
  /// - Throws: `SparseAutoencoderError.anotherRecording`.
  public func requireSource(of recording: Recording) throws {
    let given = recording.description
    let facts = [
      ("model", source.model, given.model), ("model_sha256", source.modelSHA256, given.modelSHA256),
      ("layers × heads", "\(source.layers) × \(source.heads)", "\(given.layers) × \(given.heads)"),
      ("d_model", "\(source.dModel)", "\(given.dModel)"),
      ("position", source.position.text, given.position.text),
    ]
    for (name, trained, found) in facts where trained != found {
      throw SparseAutoencoderError.anotherRecording(fact: name, trainedOn: trained, given: found)
    }
  }

  /// Refuses a recording without examples of both labels.
  public static func requireBothLabels(_ recording: Recording) throws(SparseAutoencoderError) {
    let positives = recording.labels.count { $0 }
    guard !recording.examples.isEmpty else { throw .noExamples }
    guard positives > 0, positives < recording.examples.count else {
      throw .oneLabelOnly(positive: positives > 0, examples: recording.examples.count)
    }
  }

  private static func chooseExamples(
    _ recording: Recording, count: Int, choice: ExampleChoice, generator: inout SeededGenerator
  ) -> [Int] {
    let all = generator.permutation(of: recording.examples.count)
    guard choice == .balanced else { return Array(all.prefix(count)) }
    var chosen: [Int] = []
    func take(_ example: Int) {
      if chosen.count < count, !chosen.contains(example) { chosen.append(example) }
    }
    let pairs = recording.pairs
    for index in generator.permutation(of: pairs.count) {
      take(pairs[index].positive)
      take(pairs[index].negative)
    }
    let positives = all.filter { recording.examples[$0].isPositive }
    let negatives = all.filter { !recording.examples[$0].isPositive }
    for (positive, negative) in zip(positives, negatives) {
      take(positive)
      take(negative)
    }
    all.forEach(take)
    return chosen
  }

  /// The samples of some examples, `[samples, d_model]`: every head at every real position.
  private static func samples(
    _ recording: Recording, examples: [Int], _ trainingProtocol: TrainingProtocol,
    generator: inout SeededGenerator
  ) throws(RecordingError) -> Tensor {
    let averaging = trainingProtocol.averagesPositions
    let (heads, width) = (
      recording.description.layers * recording.description.heads, recording.description.dModel
    )
    var rows: [Float] = []
    for example in examples {
      let outputs = try recording.headSamples(example..<example + 1, averaging: averaging)
      let positions =
        recording.positionCount(averaging: averaging) == 1 ? 1 : recording.examples[example].tokens.count
      rows += outputs.reshaped([outputs.count / width, width]).rows(0..<positions * heads).values
    }
    let samples = Tensor(rows, shape: [rows.count / width, width])
    let limit = trainingProtocol.sampleLimit
    guard samples.shape[0] > limit else { return samples }
    let kept = generator.permutation(of: samples.shape[0]).prefix(limit).sorted()
    return Tensor(kept.flatMap { samples.row($0).values }, shape: [limit, width])
  }
}
