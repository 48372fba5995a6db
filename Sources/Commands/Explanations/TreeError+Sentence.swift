import Trees

extension TreeError: ExplainedError {
  var sentence: String {
    switch self {
    case .malformedTree(let tree, let node, let problem):
      "tree \(tree) of the model is not sound: \(problem) (node \(node))"
    case .notAModel(let path): "\(path) is not a tree model written by 'headlamp fit'"
    case .changedSinceWritten:
      "the model is not as 'headlamp fit' wrote it: it was damaged or changed; fit it again, or take its 'sha256' out to "
        + "read it as it is"
    case .unknownVersion(let version):
      "the model file is of version \(version), which this headlamp does not know"
    case .oneClass(let name): "every row is of class '\(name)': there is nothing to learn"
    case .noRows: "there is no row to learn from"
    case .notAQuantisedTable(let path, let problem):
      "\(path) is no table that 'headlamp quantise' wrote: \(problem)"
    case .tooWideForParts:
      "several processes cannot share this table: it has fewer than 2,000 rows, or too many features for trees of this "
        + "depth; use one process"
    case .malformedEnsemble(let problem): "the model is not sound: \(problem)"
    }
  }
}
