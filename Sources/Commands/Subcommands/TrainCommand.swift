// headlamp train: from a recording to autoencoders.

import FoundationEssentials
import Files
import Recordings
import SparseAutoencoders

/// Trains discrete autoencoders on a recording.
enum TrainCommand: Subcommand {
  static let name = "train"
  static let summary = "train the discrete autoencoder on a recording"
  static let discussion = """
    Reads head outputs of a few examples of a recording and trains a sparse autoencoder, shared by all heads, whose
    most active feature is a head's code. The file written holds weights, hyperparameters, seed and the recording's
    SHA-256; the same recording and seed give the same bytes. The protocol 'paper' is the published procedure: one
    autoencoder on any examples, on the mean over positions. The protocol 'change' trains three on balanced pairs and
    keeps positions apart where the recording has them.
    """
  static let positionals = [Positional("RECORDING", help: "what 'record' wrote")]
  static let output = Option<String>("output", "FILE", help: "the autoencoder to write (.safetensors)")
  static let protocolName = Option<ProtocolName>(
    "protocol", "NAME", default: .change, help: "change or paper")
  static let features = Option<Int>("features", "N", default: 200, help: "learned features")
  static let lambda = Option<Double>(
    "lambda", "X", default: 0.02, help: "weight of the L1 norm of activations")
  static let topK = Option<Int>("top-k", "N", help: "keep N activations a sample in place of the L1 norm")
  static let epochs = Option<Int>("epochs", "N", default: 500, help: "full-batch steps")
  static let learningRate = Option<Double>("learning-rate", "X", default: 0.001, help: "Adam's learning rate")
  static let trainingExamples = Option<Int>("examples", "N", default: 10, help: "training examples")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "seed of examples and first weights")
  static let options: [any OptionDeclaration] = [
    output, protocolName, features, lambda, topK, epochs, learningRate, trainingExamples, seed,
  ]
  static var examples: [Example] {
    [
      Example("headlamp train ioi.h5 --output ioi.safetensors", "three autoencoders on balanced pairs"),
      Example(
        "headlamp train ioi.h5 --protocol paper --seed 3 --output paper.safetensors",
        "the published procedure"),
    ]
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let output = try arguments.required(output)
    var hyperparameters = hyperparameters(arguments)
    try hyperparameters.validate()
    let recording = try Recording(path: arguments.positionals[0])
    if !arguments.isGiven(trainingExamples) { fit(&hyperparameters, to: recording, console) }
    if arguments[protocolName] == .paper, ![.mean, .each].contains(recording.description.position) {
      console.note(
        "the paper takes the mean over positions; this recording holds position "
          + "'\(recording.description.position.text)'")
    }
    let clock = ContinuousClock()
    let start = clock.now
    let trained = try TrainedAutoencoders.train(
      on: recording, protocol: (arguments[protocolName] ?? .change).training,
      hyperparameters: hyperparameters,
      seed: arguments[seed] ?? 0
    ) { done, total in
      if done % 10 == 0 || done == total { console.progress("training", done, of: total, "steps") }
    }
    console.endProgress()
    let seconds = (clock.now - start) / .seconds(1)
    try trained.save(to: output)
    let losses = trained.members.map { ($0.losses.last ?? 0).text(significant: 4) }.joined(separator: ", ")
    console.note("trained in \(seconds.text(significant: 3)) s, last loss \(losses): \(output)")
  }

  /// Lowers the usual number of training examples where the recording has too few for it, and says so.
  static func fit(_ hyperparameters: inout Hyperparameters, to recording: Recording, _ console: Console) {
    let count = recording.examples.count
    // A pair at least is held out.
    guard count < hyperparameters.examples + 2 else { return }
    let fitting = max(1, count / 4 * 2)
    console.note("\(count) prompts: \(fitting) of them train, in place of \(hyperparameters.examples)")
    hyperparameters.examples = fitting
  }

  static func hyperparameters(_ arguments: ParsedArguments) -> Hyperparameters {
    Hyperparameters(
      features: arguments[features] ?? 200, sparsity: arguments[lambda] ?? 0.02,
      activeFeatures: arguments[topK],
      epochs: arguments[epochs] ?? 500, learningRate: arguments[learningRate] ?? 0.001,
      examples: arguments[trainingExamples] ?? 10)
  }
}
