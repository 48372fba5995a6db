// autoencoder.safetensors: weights as tensors, everything else as text in the header.

import Checkpoints
import FoundationEssentials
import Recordings
import Tensors

extension TrainedAutoencoders {
  private struct Header: Codable {
    var trainingProtocol: TrainingProtocol
    var hyperparameters: Hyperparameters
    var source: RecordingDescription
  }

  private static let format = "headlamp discrete autoencoder 1"

  /// Writes the autoencoders, whole or not at all. The same training gives the same bytes.
  ///
  /// Tensors are `encoder.weight` [features, d_model], `encoder.bias`, `decoder.weight` [d_model, features],
  /// `tied_bias`, `losses` and `training_examples`, after `N.` for each of several autoencoders.
  public func save(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let header = Header(trainingProtocol: trainingProtocol, hyperparameters: hyperparameters, source: source)
    var tensors: [String: SafetensorsValue] = [:]
    for (index, member) in members.enumerated() {
      let prefix = Self.prefix(index, of: members.count)
      tensors[prefix + "encoder.weight"] = .float(member.autoencoder.encoder)
      tensors[prefix + "encoder.bias"] = .float(member.autoencoder.encoderBias)
      tensors[prefix + "decoder.weight"] = .float(member.autoencoder.decoder)
      tensors[prefix + "tied_bias"] = .float(member.autoencoder.tiedBias)
      tensors[prefix + "losses"] = .float(Tensor(member.losses.map { Float($0) }))
      tensors[prefix + "training_examples"] = .int64(
        member.trainingExamples, shape: [member.trainingExamples.count])
    }
    try writeSafetensors(
      tensors,
      metadata: [
        "format": Self.format, "members": String(members.count), "seed": String(seed),
        "recording_sha256": recordingSHA256,
        "description": String(decoding: try encoder.encode(header), as: UTF8.self),
      ], to: path)
  }

  /// Reads what `save` wrote.
  /// - Throws: `SparseAutoencoderError.notAnAutoencoder` for any other safetensors file; `CheckpointError` for a damaged one.
  public init(path: String) throws {
    func refuse(_ problem: String) -> SparseAutoencoderError {
      .notAnAutoencoder(path: path, problem: problem)
    }
    let file = try SafetensorsFile(path: path)
    guard file.metadata["format"] == Self.format else { throw refuse("its header names another format") }
    guard let seed = file.metadata["seed"].flatMap({ UInt64($0) }),
      let count = file.metadata["members"].flatMap({ Int($0) }), (1...10_000).contains(count),
      let hash = file.metadata["recording_sha256"],
      let header = try? JSONDecoder().decode(
        Header.self, from: Data((file.metadata["description"] ?? "").utf8))
    else { throw refuse("its header is incomplete") }
    let (features, width) = (header.hyperparameters.features, header.source.dModel)
    guard features > 0, width > 0 else { throw refuse("\(features) features of width \(width)") }
    let members = try (0..<count).map { index in
      let prefix = Self.prefix(index, of: count)
      return TrainedMember(
        autoencoder: SparseAutoencoder(
          encoder: try file.tensor(prefix + "encoder.weight", shape: [features, width]),
          encoderBias: try file.tensor(prefix + "encoder.bias", shape: [features]),
          decoder: try file.tensor(prefix + "decoder.weight", shape: [width, features]),
          tiedBias: try file.tensor(prefix + "tied_bias", shape: [width])),
        trainingExamples: try file.integers(prefix + "training_examples"),
        losses: try file.tensor(prefix + "losses").values.map { Double($0) })
    }
    self.init(
      trainingProtocol: header.trainingProtocol, hyperparameters: header.hyperparameters, seed: seed,
      recordingSHA256: hash, source: header.source, members: members)
  }

  private static func prefix(_ index: Int, of count: Int) -> String { count == 1 ? "" : "\(index)." }
}
