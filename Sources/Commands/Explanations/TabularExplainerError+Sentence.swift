import TabularExplainer

extension TabularExplainerError: ExplainedError {
  var sentence: String {
    switch self {
    case .nothingToLearn(let rows, let features):
      "there is nothing to learn from \(rows) rows with a target and \(features) features"
    case .unknownRow(let row):
      "predictions were given for the table's own rows only; row \(row + 1) of what is asked is none of them"
    case .oneClass(let target, let name):
      "every row's '\(target)' is '\(name)': there is nothing to tell apart"
    case .rareClasses(let target, let name, let others):
      "all but \(others == 1 ? "one row" : "\(others) rows") of '\(target)' are '\(name)': too few others to fit to some "
        + "and measure on the rest"
    case .tooFewRows(let count, let needed):
      "the table has \(count == 1 ? "one row" : "\(count) rows"); "
        + "at least \(needed) are needed to fit and to hold some out"
    case .constantTarget(let target, let value):
      "every row's '\(target)' is \(value.shortText): there is nothing to tell apart"
    case .wrongOutputs(let model, let outputs, let target):
      "\(model) has \(outputs == 1 ? "one output" : "\(outputs) outputs") where the target needs \(target)"
    case .notPredictions(let model, let row, let problem):
      "\(model) gives no predictions: for row \(row + 1) of those asked, \(problem)"
    case .cannotProbe(let method, let model):
      "'\(method)' cannot be asked of \(model); permutation, occlusion and sampling-shap suit every black box that "
        + "answers new rows, shap and impurity trees, the others networks"
    case .nothingVaries(let features):
      "no column varies: \(features == 1 ? "the one feature is" : "all \(features) features are") "
        + "constant or missing"
    }
  }
}
