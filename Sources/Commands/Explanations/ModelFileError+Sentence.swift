import TabularExplainer

extension ModelFileError: ExplainedError {
  var sentence: String {
    switch self {
    case .unknownFormat(let path):
      "\(path) is no model that can be read: XGBoost JSON or UBJ, LightGBM text, CatBoost JSON, ONNX, or Headlamp's own"
    case .malformed(let path, let format, let problem):
      "\(path) is not a sound \(format.rawValue) model: \(problem)"
    case .unsupported(let path, let format, let feature):
      "\(path) (\(format.rawValue)) uses \(feature), which is not supported; "
        + "--black-box-command runs any program that answers rows with predictions"
    case .featureCount(let path, let model, let table):
      "the model in \(path) was made for \(model) features without names; the table has \(table)"
    case .classCount(let path, let model, let target):
      "the model in \(path) predicts \(model) classes and does not name them; \(target) are known: "
        + "--classes names all of them, in the order of the model's outputs"
    case .classNames(let path, let model, let target):
      "the model in \(path) predicts \(model.joined(separator: ", ")); the target holds \(target.joined(separator: ", "))"
    case .classesWithoutEffect(let path, nil):
      "--classes: the model in \(path) predicts a quantity, so the option has no effect"
    case .classesWithoutEffect(let path, let classes?):
      "--classes: the model in \(path) names its classes itself (\(classes.joined(separator: ", "))), so the option has no effect"
    case .missingFeature(let path, let name, let nearest):
      "the table has no column '\(name)', which the model in \(path) needs"
        + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    case .rounds(let path, let problem): "--rounds: \(path) \(problem)"
    }
  }
}
