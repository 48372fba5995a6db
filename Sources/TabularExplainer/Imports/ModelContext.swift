// What a table knows and a model file often does not: the names of features and classes.

import Tables
import Trees

/// Names to give to a model that has none of its own.
public struct ModelContext: Sendable, Equatable {
  /// The table's features, in order; nil where there is no table yet.
  public var featureNames: [String]?
  /// The target's classes, in order; nil for regressions and where there is no table yet.
  public var classNames: [String]?

  /// Names of features and classes.
  public init(featureNames: [String]? = nil, classNames: [String]? = nil) {
    self.featureNames = featureNames
    self.classNames = classNames
  }
}

/// What a reader found out about a model, before its names are settled.
struct ModelNames {
  /// The model's own names of its features; nil where it only counts them.
  var features: [String]?
  var featureCount: Int
  /// The model's own names of its classes; nil where it only counts them.
  var classes: [String]?
  /// The number of outputs; 1 for a regression.
  var outputCount: Int
  /// Whether the outputs are probabilities of classes.
  var classifies: Bool

  /// The names to use.
  /// - Throws: `ModelFileError.featureCount` or `.classCount` where the context's names are of another number.
  func settled(
    in context: ModelContext, path: String
  ) throws(ModelFileError) -> (features: [String], outputs: [String]) {
    let features: [String]
    if let own = self.features {
      features = own
    } else if let table = context.featureNames {
      guard table.count == featureCount else {
        throw .featureCount(path: path, model: featureCount, table: table.count)
      }
      features = table
    } else {
      features = (0..<featureCount).map { "f\($0)" }
    }
    guard classifies else { return (features, outputCount == 1 ? ["prediction"] : numbered) }
    if let own = classes, own.count == outputCount { return (features, own) }
    if let target = context.classNames {
      guard target.count == outputCount else {
        throw .classCount(path: path, model: outputCount, target: target.count)
      }
      return (features, target)
    }
    return (features, numbered)
  }

  private var numbered: [String] { (0..<outputCount).map { String($0) } }
}
