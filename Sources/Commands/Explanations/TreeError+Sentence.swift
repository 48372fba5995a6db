import Trees

extension TreeError: ExplainedError {
  var sentence: String {
    switch self {
    case .malformedTree(let tree, let node, let problem):
      "tree \(tree) of the model is not sound: \(problem) (node \(node))"
    case .malformedEnsemble(let problem): "the model is not sound: \(problem)"
    }
  }
}
