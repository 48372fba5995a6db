// An interpretable stand-in for a black box: trees or rules on the features that matter.

import Tables
import Tensors
import Trees

/// The forms a surrogate can take.
public enum SurrogateKind: String, Sendable, CaseIterable, Codable {
  /// One tree.
  case tree
  /// Rules read from the top; the first that holds decides.
  case ruleList = "rule-list"
  /// For every class the rules that speak for it.
  case ruleSets = "rule-sets"
  /// A sum of small trees.
  case treeSum = "tree-sum"
}

/// How much there is to read in a surrogate.
public struct Complexity: Sendable, Equatable, Codable {
  /// The number of rules; a tree has one a leaf.
  public var rules: Int
  /// The number of conditions over all rules.
  public var conditions: Int
  /// The number of trees.
  public var trees: Int
}

/// A fitted surrogate.
public struct Surrogate: Sendable, Equatable, Codable {
  /// What a surrogate is made of.
  public enum Model: Sendable, Equatable, Codable {
    /// One tree or a sum of trees on the chosen features.
    case trees(TreeEnsemble)
    /// Rules from the top, and what is predicted where none holds.
    case list([Rule], otherwise: [Double])
    /// For every output: its rules (one number each) and its number where none holds.
    case sets([[Rule]], otherwise: [Double])
  }

  /// The form.
  public let kind: SurrogateKind
  /// The indices of the chosen features in the table, the most important first.
  public let features: [Int]
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The fitted model.
  public let model: Model

  /// What the surrogate predicts: probabilities that sum to one, or one quantity.
  /// - Returns: shape `[rows, outputs]`.
  /// - Throws: `TableError` where the table is not the one it was fitted to.
  public func predict(_ features: Features) throws -> Tensor {
    switch model {
    case .trees(let ensemble):
      let raw = try ensemble.predict(features.selecting(features: self.features))
      return outputNames.count > 1 ? normalized(raw) : raw
    case .list(let rules, let otherwise):
      return filled(features.rowCount) { row in
        rules.first { $0.box.holds { features[row, $0] } }?.prediction ?? otherwise
      }
    case .sets(let sets, let otherwise):
      return filled(features.rowCount) { row in
        sets.indices.map { output in
          sets[output].lazy.filter { $0.box.holds { features[row, $0] } }.map { $0.prediction[0] }.max()
            ?? otherwise[output]
        }
      }
    }
  }

  /// The rules of a surrogate that has some: a tree's leaves, a list's rules, the sets' rules with the probability
  /// of their own class. Empty for a sum of trees.
  public var rules: [Rule] {
    switch model {
    case .trees(let ensemble):
      guard kind == .tree, let tree = ensemble.trees.first else { return [] }
      return ensemble.rules(of: tree, tableFeatures: features)
    case .list(let rules, _): return rules
    case .sets(let sets, _):
      return sets.enumerated().flatMap { output, rules in
        rules.map { rule in
          var prediction = [Double](repeating: 0, count: outputNames.count)
          let share = outputNames.count > 1 ? (1 - rule.prediction[0]) / Double(outputNames.count - 1) : 0
          for index in prediction.indices { prediction[index] = index == output ? rule.prediction[0] : share }
          return Rule(box: rule.box, prediction: prediction)
        }
      }
    }
  }

  /// The leaves of one of a surrogate's trees as rules; in a sum, what the tree adds.
  public func leafRules(of tree: Tree) -> [Rule] {
    guard case .trees(let ensemble) = model else { return [] }
    return ensemble.rules(of: tree, tableFeatures: features).map { rule in
      kind == .tree
        ? rule : Rule(box: rule.box, prediction: zip(rule.prediction, ensemble.baseScores).map { $0 - $1 })
    }
  }

  /// How much there is to read.
  public var complexity: Complexity {
    switch model {
    case .trees(let ensemble):
      let rules = ensemble.trees.flatMap { ensemble.rules(of: $0, tableFeatures: features) }
      return Complexity(
        rules: rules.count, conditions: rules.reduce(0) { $0 + $1.box.conditions.count },
        trees: ensemble.trees.count)
    case .list, .sets:
      let rules = self.rules
      return Complexity(
        rules: rules.count, conditions: rules.reduce(0) { $0 + $1.box.conditions.count }, trees: 0)
    }
  }

  private func filled(_ rows: Int, _ prediction: (Int) -> [Double]) -> Tensor {
    let width = outputNames.count
    var values: [Float] = []
    values.reserveCapacity(rows * width)
    for row in 0..<rows { values += prediction(row).map { Float($0) } }
    let raw = Tensor(values, shape: [rows, width])
    return width > 1 ? normalized(raw) : raw
  }
}

/// Outputs clipped to [0, 1] and scaled to sum to one; rows of zeros become uniform.
func normalized(_ raw: Tensor) -> Tensor {
  var result = raw
  let (rows, width) = (raw.shape[0], raw.shape[1])
  result.withMutableValues { values in
    for row in 0..<rows {
      var sum: Float = 0
      for index in row * width..<(row + 1) * width {
        values[index] = min(max(values[index], 0), 1)
        sum += values[index]
      }
      for index in row * width..<(row + 1) * width {
        values[index] = sum > 0 ? values[index] / sum : 1 / Float(width)
      }
    }
  }
  return result
}
