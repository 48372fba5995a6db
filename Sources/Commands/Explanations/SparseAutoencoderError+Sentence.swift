import CircuitDiscovery
import SparseAutoencoders

extension SparseAutoencoderError: ExplainedError {
  var sentence: String {
    switch self {
    case .oneLabelOnly(let positive, let examples):
      "all \(examples) examples are \(positive ? "positive" : "negative"); a ranking needs both labels"
    case .noExamples: "the recording has no examples"
    case .tooFewExamples(let asked, let available):
      "\(asked) training examples were asked for, but the recording has \(available); give 'train' a smaller "
        + "--examples, 'discover' a smaller --training-examples"
    case .badHyperparameter(let name, let value, let allowed): "--\(name) is \(value); allowed is \(allowed)"
    case .notAnAutoencoder(let path, let problem):
      "\(path) holds no autoencoder made by 'headlamp train': \(problem)"
    case .anotherRecording(let fact, let trainedOn, let given):
      "the autoencoder belongs to another recording: it was trained on \(fact) '\(trainedOn)', this one has '\(given)'"
    }
  }

  var exitCode: Int32 {
    if case .badHyperparameter = self { return 2 }
    return 1
  }
}

extension RankingError: ExplainedError {
  var sentence: String {
    switch self {
    case .nothingHeldOut(let examples):
      "no example of each label was held out of training among \(examples); "
        + "train with fewer ('train --examples', 'discover --training-examples'), "
        + "or rank with --protocol paper, which scores training examples too"
    }
  }
}
