// What can be wrong with a model that another library wrote.

import Trees

/// A failure to read or use a model file.
public enum ModelFileError: Error, Equatable, Sendable {
  /// The file's first bytes fit no format that is read.
  case unknownFormat(path: String)
  /// The file says one thing and does another.
  case malformed(path: String, format: ModelFileFormat, problem: String)
  /// The model uses something of its format that is not read.
  case unsupported(path: String, format: ModelFileFormat, feature: String)
  /// The model was made for another number of features, and does not name them.
  case featureCount(path: String, model: Int, table: Int)
  /// The model's number of classes is not the target's.
  case classCount(path: String, model: Int, target: Int)
  /// The model names its classes, and the target's are others.
  case classNames(path: String, model: [String], target: [String])
  /// Classes are given in an order, and the model has its own names for them, or none.
  case classesWithoutEffect(path: String, classes: [String]?)
  /// The model needs a feature that the table does not have.
  case missingFeature(path: String, name: String, nearest: String?)
  /// A number of rounds is asked for that the model does not have.
  case rounds(path: String, problem: String)
}

/// A format that models are read from.
public enum ModelFileFormat: String, Sendable, CaseIterable {
  case headlamp = "Headlamp"
  case xgboostJSON = "XGBoost JSON"
  case xgboostUBJ = "XGBoost UBJ"
  case lightGBM = "LightGBM text"
  case catBoost = "CatBoost JSON"
  case onnx = "ONNX"
}

/// What is wrong in a model file, before anyone knows the file's name.
enum ModelProblem: Error, Equatable {
  case malformed(String)
  case unsupported(String)

  func located(path: String, format: ModelFileFormat) -> ModelFileError {
    switch self {
    case .malformed(let problem): .malformed(path: path, format: format, problem: problem)
    case .unsupported(let feature): .unsupported(path: path, format: format, feature: feature)
    }
  }
}

extension TreeError {
  /// The same, for trees that came from a file.
  var modelProblem: ModelProblem {
    if case .malformedTree(let tree, let node, let problem) = self {
      return .malformed("tree \(tree), node \(node): \(problem)")
    }
    if case .malformedEnsemble(let problem) = self { return .malformed(problem) }
    if case .changedSinceWritten = self {
      return .malformed(
        "its bytes are not those that 'headlamp fit' wrote: it was damaged or changed; fit it again, or take its 'sha256' "
          + "out to read it as it is")
    }
    return .malformed("\(self)")
  }
}
