import CircuitDiscovery

extension ScoreError: ExplainedError {
  var sentence: String {
    switch self {
    case .badTable(let path, let line, let column, let problem):
      "\(path), line \(line)\(column.isEmpty ? "" : ", column \(column)"): \(problem)"
    case .otherModel(let path, let layers, let heads, let truth, let truthLayers, let truthHeads):
      "\(path) is of a model of \(layers) layers × \(heads) heads, and the ground truth '\(truth)' is of one of "
        + "\(truthLayers) × \(truthHeads)"
    case .otherEdges(let path, let truth, let edge):
      "\(path) and \(truth) are of different models: edge \(edge) is in one of them only"
    case .noTrueHeads(let truth):
      "the ground truth '\(truth)' names nothing, so nothing can be scored against it"
    case .noFalseHeads(let truth):
      "the ground truth '\(truth)' names everything, so nothing can be scored against it"
    case .notANumber(let index): "score \(index) is not a number"
    case .badCount(let count, let heads): "--k must be from 1 to the number of items, \(heads), not \(count)"
    }
  }

  var exitCode: Int32 {
    if case .badCount = self { 2 } else { 1 }
  }
}
