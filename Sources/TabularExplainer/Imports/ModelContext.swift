// What a table knows and a model file often does not: the names of features and classes.

import Tables
import Trees

/// Names to give to a model that has none of its own, and what else a table or its user says of it.
public struct ModelContext: Sendable {
  /// The table's features, in order; nil where there is no table yet.
  public var featureNames: [String]?
  /// The target's classes, in order; nil for regressions and where there is no table yet.
  public var classNames: [String]?
  /// The classes in the order of the model's outputs, where the user has said it.
  public var classOrder: [String]?
  /// The table whose cells the model will be asked about: it decides what cells stand for.
  public var table: Features?
  /// How many rounds of a boosted model are used.
  public var rounds: Rounds = .asTheLibrary

  /// How many rounds of a boosted model are used.
  public enum Rounds: Sendable, Equatable {
    /// As many as the library that wrote the file uses when it predicts.
    case asTheLibrary
    /// Those up to the best one that early stopping has noted.
    case best
    /// All that the file holds.
    case all
    /// The first so many.
    case first(Int)
  }

  /// Names of features and classes.
  public init(
    featureNames: [String]? = nil, classNames: [String]? = nil, classOrder: [String]? = nil,
    table: Features? = nil, rounds: Rounds = .asTheLibrary
  ) {
    self.featureNames = table?.names ?? featureNames
    self.classNames = classNames
    self.classOrder = classOrder
    self.table = table
    self.rounds = rounds
  }
}

/// Something about an opened model that its user should know.
public enum ModelRemark: Sendable, Equatable {
  /// The model calls a feature otherwise than the table.
  case renamed(model: String, table: String)
  /// The model does not name its classes; its outputs were taken for these, in order.
  case classesTaken([String])
  /// So many of a boosted model's rounds are used; `best` is how many early stopping found best, where it is noted.
  case rounds(used: Int, of: Int, best: Int?)
  /// Columns that look like row numbers or identifiers were left out, so that the others are as many as the model takes.
  case columnsLeftOut([String])
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

  /// Names to use, where to find the features, and what is to be said about it.
  struct Settled {
    /// The features' names: the table's, where there is a table.
    var features: [String]
    var outputs: [String]
    /// For every feature its column of the table; empty without a table.
    var places: [Int] = []
    var remarks: [ModelRemark] = []
  }

  /// The names to use.
  /// - Throws: `ModelFileError.featureCount` or `.classCount` where the context's names are of another number,
  ///   `.missingFeature` where the table lacks one.
  func settled(in context: ModelContext, path: String) throws(ModelFileError) -> Settled {
    var result = Settled(features: [], outputs: [])
    if let own = features {
      result.features = own
      if let table = context.table {
        do throws(TableError) {
          let matches = try FeatureMatches(own, among: table.names)
          result.places = matches.places
          result.features = matches.places.map { table.names[$0] }
          result.remarks += matches.renamed.map { .renamed(model: $0.model, table: $0.table) }
        } catch {
          guard case .missingFeature(let name, let nearest) = error else {
            throw .malformed(path: path, format: .headlamp, problem: "\(error)")
          }
          throw .missingFeature(path: path, name: name, nearest: nearest)
        }
      }
    } else if let table = context.featureNames {
      guard table.count == featureCount else {
        throw .featureCount(path: path, model: featureCount, table: table.count)
      }
      result.features = table
      result.places = Array(table.indices)
    } else {
      result.features = (0..<featureCount).map { "f\($0)" }
    }
    result.outputs = try outputs(in: context, path: path, &result.remarks)
    return result
  }

  private func outputs(
    in context: ModelContext, path: String, _ remarks: inout [ModelRemark]
  ) throws(ModelFileError) -> [String] {
    guard classifies else {
      if context.classOrder != nil { throw .classesWithoutEffect(path: path, classes: nil) }
      return outputCount == 1 ? ["prediction"] : numbered
    }
    let own = classes.flatMap { $0.count == outputCount ? $0 : nil }
    if let order = context.classOrder {
      if let own, Set(own) != Set(numbered) { throw .classesWithoutEffect(path: path, classes: own) }
      guard order.count == outputCount else {
        throw .classCount(path: path, model: outputCount, target: order.count)
      }
      return order
    }
    guard let target = context.classNames else { return own ?? numbered }
    let names = own ?? numbered
    // Names that are the target's, or all of them and more.
    let known = Set(names)
    if target.allSatisfy({ known.contains($0) }) { return names }
    if let matched = Self.sameNumbers(names, target) { return matched }
    guard target.count == outputCount else {
      if own != nil { throw .classNames(path: path, model: names, target: target) }
      throw .classCount(path: path, model: outputCount, target: target.count)
    }
    remarks.append(.classesTaken(target))
    return target
  }

  /// The target's spellings of a model's classes that are the same numbers: `1` for `1.0`; nil where some are not.
  private static func sameNumbers(_ names: [String], _ target: [String]) -> [String]? {
    var spelling: [Double: String] = [:]
    for name in target {
      guard let number = CategoryCodes.number(name) else { return nil }
      spelling[number] = name
    }
    var found = 0
    let matched = names.map { name -> String in
      guard let own = CategoryCodes.number(name).flatMap({ spelling[$0] }) else { return name }
      found += 1
      return own
    }
    return found == target.count ? matched : nil
  }

  private var numbered: [String] { (0..<outputCount).map { String($0) } }
}
