// From prompts to a recording of every head's output.

import Checkpoints
import Files
import Recordings
import Tensors
import Transformers

/// Records the head outputs of a model on the prompts of a task.
///
/// The output of head (l, h) is `result` = z·W_O without bias (O'Neill & Bui 2024, section 3). Prompts run in batches
/// of like lengths and like beginnings; what is on file already is not computed again.
public struct HeadRecorder: Sendable {
  /// The model.
  public let model: any HeadOutputSource
  /// The program and version that the recording names as its maker.
  public let createdBy: String
  private let pendingIdentity: Background<ModelIdentity>

  /// A recorder for one model whose identity is known.
  public init(model: any HeadOutputSource, identity: ModelIdentity, createdBy: String) {
    self.init(model: model, identity: Background(finished: identity), createdBy: createdBy)
  }

  /// A recorder for one model whose weights are still being read for their digest.
  public init(model: any HeadOutputSource, identity: Background<ModelIdentity>, createdBy: String) {
    self.model = model
    self.createdBy = createdBy
    pendingIdentity = identity
  }

  /// Which model that is; waited for.
  /// - Throws: `FileError` or `CheckpointError` where its files cannot be read.
  public var identity: ModelIdentity {
    get throws { try pendingIdentity.value }
  }

  /// Records all prompts, going on where an interrupted recording of the same thing stopped.
  ///
  /// Memory beyond the model: one batch of about 112 MB of head outputs, and its activations; about 450 MB where weights
  /// are widened from a file.
  ///
  /// - Parameters:
  ///   - manifest: which part of the prompts is recorded; all where nil.
  ///   - progress: called after every batch with the number of prompts on file and of all; what it throws ends the
  ///     recording, which the next call goes on with.
  /// - Throws: `RecordingError`, `TransformerError`; `TaskError.badPrompt` where a prompt lacks the position.
  /// - Returns: the finished recording, opened for reading.
  public func record(
    _ whole: PromptSet, position: RecordedPosition, to path: String, part manifest: ShardManifest? = nil,
    progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> Recording {
    var (prompts, examples, part) = (whole, whole.examples, RecordedPart?.none)
    if let manifest {
      precondition(
        manifest.total == examples.count, "part of \(manifest.total) prompts, of \(examples.count)")
      prompts.prompts = Array(whole.prompts[manifest.range])
      (part, examples) = RecordedPart.cut(examples, manifest)
    }
    let places = try placesOfPosition(position, in: whole)[manifest?.range ?? whole.prompts.indices]
    func makeWriter() throws -> RecordingWriter {
      try RecordingWriter(
        path: path, description: description(of: prompts, position: position), examples: examples, part: part)
    }
    // A new recording is begun after its first batch, for which the model's digest need not be known.
    try RecordingWriter.requireWritableFolder(of: path)
    var begun = RecordingWriter.isUnfinished(path) ? try makeWriter() : nil
    let total = prompts.prompts.count
    let missing = begun.map { Set($0.missingExamples) } ?? Set(prompts.prompts.indices)
    var done = total - missing.count
    try progress(done, total)
    // Batches are those of a recording that was never interrupted, as company changes the last bits; one of which a part is
    // on file is computed again.
    let groups = model.headOutputBatches(
      of: prompts.prompts.map(\.tokens), pooling: pooling(position, [])
    ).filter { !missing.isDisjoint(with: $0.indices) }
    let batches = groups.map { group in
      HeadOutputBatch(
        batch: group.batch, pooling: pooling(position, group.indices.map { places[places.startIndex + $0] }))
    }
    try model.forEachHeadOutputs(of: batches) { index, outputs, codes in
      let examples = groups[index].indices
      let writer = try begun ?? makeWriter()
      begun = writer
      try writer.write(headOutputs: outputs, codes: codes, examples: examples)
      done += examples.count { missing.contains($0) }
      try progress(done, total)
    }
    return try (begun ?? makeWriter()).finish()
  }

  private func description(
    of prompts: PromptSet, position: RecordedPosition
  ) throws -> RecordingDescription {
    let (configuration, identity) = (model.configuration, try identity)
    return RecordingDescription(
      task: prompts.task, model: identity.name, modelSHA256: identity.weightsSHA256,
      layers: configuration.layers, heads: configuration.heads, dModel: configuration.dModel,
      position: position, bos: prompts.beginningToken != nil, seed: prompts.seed, dtype: identity.dtype,
      createdBy: createdBy,
      codes: configuration.codebookShape(.heads).map { RecordedCodes(codes: $0.codes, active: $0.active) })
  }

  private func pooling(_ position: RecordedPosition, _ places: [Int]) -> HeadPooling {
    switch position {
    case .mean: .mean(excludingFirst: false)
    case .last: .last
    case .each: .each
    case .named: .at(places)
    }
  }

  /// The token index of a named position in every prompt; zeros where no name is asked for.
  private func placesOfPosition(_ position: RecordedPosition, in prompts: PromptSet) throws -> [Int] {
    guard case .named(let name) = position else { return [Int](repeating: 0, count: prompts.prompts.count) }
    return try prompts.prompts.enumerated().map { index, prompt in
      guard let place = prompt.positions[name] else {
        let known = prompt.positions.keys.sorted().joined(separator: ", ")
        throw TaskError.badPrompt(
          source: prompts.task, prompt: index, problem: "it has no position '\(name)', but \(known)")
      }
      return place
    }
  }
}

extension PromptSet {
  /// The prompts as a recording keeps them, each pointing at its partner.
  public var examples: [RecordedExample] {
    var partners: [Int: Int] = [:]
    for (positive, negative) in pairs {
      partners[positive] = negative
      partners[negative] = positive
    }
    return prompts.enumerated().map { index, prompt in
      RecordedExample(
        prompt: prompt.text ?? prompt.tokens.map(String.init).joined(separator: " "), tokens: prompt.tokens,
        isPositive: prompt.isPositive, pair: partners[index])
    }
  }
}
