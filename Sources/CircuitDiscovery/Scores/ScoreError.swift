// What can be wrong with a ranking that is to be scored.

/// A failure in scoring a ranking against a ground truth.
public enum ScoreError: Error, Equatable, Sendable {
  /// A line or a cell of heads.csv cannot be used; `column` is its name, empty where the whole line is meant.
  case badTable(path: String, line: Int, column: String, problem: String)
  /// The ranking and the truth are of models of different size.
  case otherModel(path: String, layers: Int, heads: Int, truth: String, truthLayers: Int, truthHeads: Int)
  /// The table of edges is of another model than the circuit; `edge` is one that the other lacks.
  case otherEdges(path: String, truth: String, edge: String)
  /// The truth names no head, so that nothing can be found.
  case noTrueHeads(truth: String)
  /// The truth names every head, so that nothing can be wrong.
  case noFalseHeads(truth: String)
  /// A score is not a number.
  case notANumber(index: Int)
  /// More heads were asked for than there are, or none.
  case badCount(Int, heads: Int)
}
