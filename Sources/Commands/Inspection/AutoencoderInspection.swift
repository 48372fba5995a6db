// An autoencoder file: how it was trained, on what.

import Files
import Recordings
import SparseAutoencoders
import Tensors

/// Describes what `train` wrote.
enum AutoencoderInspection: Inspection {
  static let kind = "an autoencoder"

  static func describe(_ path: String) throws -> [String]? {
    guard path.hasSuffix(".safetensors") else { return nil }
    let trained = try TrainedAutoencoders(path: path)
    let hyperparameters = trained.hyperparameters
    let sparsity =
      hyperparameters.activeFeatures.map { "\($0) active features a sample" }
      ?? "lambda \(hyperparameters.sparsity)"
    var rows = [
      ("protocol", trained.trainingProtocol.name), ("seed", "\(trained.seed)"),
      ("features", "\(hyperparameters.features) of width \(trained.source.dModel)"), ("sparsity", sparsity),
      ("epochs", "\(hyperparameters.epochs), learning rate \(hyperparameters.learningRate)"),
      ("recording", trained.recordingSHA256), ("task", trained.source.task), ("model", trained.source.model),
      ("position", trained.source.position.text),
    ]
    for (index, member) in trained.members.enumerated() {
      let loss = (member.losses.last ?? 0).text(significant: 4)
      let examples = member.trainingExamples.map { "\($0)" }.joined(separator: " ")
      rows.append(("autoencoder \(index)", "last loss \(loss), trained on examples \(examples)"))
    }
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
