import Transformers

extension TrainingError: ExplainedError {
  var sentence: String {
    switch self {
    case .notStorable(let part):
      "this model cannot be written in the project's own layout, which has no word for \(part)"
    case .otherSetting(let path, let setting, let found, let expected):
      "\(path) was made with another \(setting) (\(found)) than is asked for now (\(expected)); "
        + "go on with the same command line"
    case .incompleteCheckpoint(let path, let missing):
      "\(path) is not a checkpoint of a training: it has no '\(missing)'"
    case .diverged(let step):
      "the loss was not a finite number at step \(step); try a smaller --learning-rate"
    }
  }
}
