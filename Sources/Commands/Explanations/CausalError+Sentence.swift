import CausalMethods

extension CausalError: ExplainedError {
  var sentence: String {
    switch self {
    case .unpaired(let prompt, let problem):
      "positive prompt \(prompt) (counted from 0) cannot be patched: \(problem)"
    case .noPrompts: "there are no prompts to run"
    case .noAnswer(let prompt, let what):
      "positive prompt \(prompt) (counted from 0) has no \(what), which the metric needs"
    case .absentNode(let name, let graph): "the model has no node '\(name)'; it has \(graph)"
    case .absentEdge(let name, let graph): "the model has no edge '\(name)'; it has \(graph)"
    case .otherModel(let path, let found, let expected):
      "\(path) is a circuit of a model of \(found); this one has \(expected)"
    case .badCircuit(let path, let problem): "\(path) is not a circuit file: \(problem)"
    case .noDifference(let metric, let value):
      "the metric \(metric) is \(value) with everything in place and with everything replaced, so no circuit can be "
        + "told from another; check that prompts and their negatives differ"
    case .badOption(let problem): problem
    case .noDonor(let prompt, let problem):
      "nothing can stand in for values of positive prompt \(prompt) (counted from 0): \(problem)"
    }
  }
}
