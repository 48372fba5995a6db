import TabularExplainer

extension ModelFileError: ExplainedError {
  var sentence: String {
    switch self {
    case .unknownFormat(let path):
      "\(path) is no model that can be read: XGBoost JSON or UBJ, LightGBM text, ONNX, or Headlamp's own"
    case .malformed(let path, let format, let problem):
      "\(path) is not a sound \(format.rawValue) model: \(problem)"
    case .unsupported(let path, let format, let feature):
      "\(path) (\(format.rawValue)) uses \(feature), which is not supported"
    case .featureCount(let path, let model, let table):
      "the model in \(path) was made for \(model) features without names; the table has \(table)"
    case .classCount(let path, let model, let target):
      "the model in \(path) predicts \(model) classes; the target has \(target)"
    }
  }
}
