// What can go wrong in this module, with the values that explain it.

/// A failure of a causal method.
public enum CausalError: Error, Equatable, Sendable {
  /// A prompt has no corrupted twin, or one of another length.
  case unpaired(prompt: Int, problem: String)
  /// There are no prompts.
  case noPrompts
  /// A prompt's question lacks a right or a wrong answer.
  case noAnswer(prompt: Int, what: String)
  /// A node of a name is not part of the model.
  case absentNode(String, graph: CircuitGraph)
  /// An edge of a name is not part of the model.
  case absentEdge(String, graph: CircuitGraph)
  /// A circuit is of a model of other sizes.
  case otherModel(path: String, found: CircuitGraph, expected: CircuitGraph)
  /// A file is not a circuit.
  case badCircuit(path: String, problem: String)
  /// The metric is the same with everything and with nothing patched, so no share of it can be told.
  case noDifference(metric: String, value: Double)
  /// A method has no such option, or not with these others.
  case badOption(String)
  /// No prompt can give values to another.
  case noDonor(prompt: Int, problem: String)
}
