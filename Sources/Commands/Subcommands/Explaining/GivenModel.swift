// A model file that a command line names, and what is to be said about it.

import Files
import Tables
import TabularExplainer

/// A model file, open before the table is read: the model decides what the target is.
struct GivenModel {
  /// The open file.
  let file: ModelFile
  private let classOrder: [String]?
  private let rounds: ModelContext.Rounds

  /// Opens the file that `arguments` name; nil where the black box is none.
  /// - Throws: `UsageError` where an option would have no effect.
  init?(_ arguments: ParsedArguments) throws {
    let order = arguments.list(ExplainingOptions.classes)
    guard let word = arguments[ExplainingOptions.blackBox], arguments.isGiven(ExplainingOptions.blackBox),
      word.contains(where: { $0 == "." || $0 == "/" })
    else {
      if arguments.isGiven(ExplainingOptions.rounds) {
        throw UsageError.invalid("--rounds has no effect without a model file of XGBoost")
      }
      if !order.isEmpty, !arguments.isGiven(ExplainingOptions.blackBoxCommand) {
        throw UsageError.invalid("--classes has no effect without a given model or program")
      }
      return nil
    }
    file = try ModelFile(path: word)
    classOrder = order.isEmpty ? nil : order
    rounds = arguments[ExplainingOptions.rounds]?.choice ?? .asTheLibrary
  }

  /// The task that the model is for, where the user does not say.
  var task: TableOptions.Task { file.classifies ? .classification : .regression }

  /// Whether a table of these columns holds the model's features and no target.
  func isUnlabelled(_ columns: [String]) -> Bool {
    if let all = file.featureNames {
      // Parts of dates are made when the table is read.
      let names = all.filter { name in
        columns.contains(name) || !(DatePart.column(ofPart: name).map(columns.contains) ?? false)
      }
      guard let matches = try? FeatureMatches(names, among: columns) else { return false }
      return matches.places.contains(columns.count - 1)
    }
    return file.featureCount > 1 && file.featureCount == columns.count
  }

  /// The model for a table's features.
  func model(_ features: Features, classes: [String]?) throws -> ImportedModel {
    try file.model(
      ModelContext(classNames: classes, classOrder: classOrder, table: features, rounds: rounds))
  }

  /// The classes' order, for a program.
  static func classOrder(_ arguments: ParsedArguments) -> [String]? {
    let order = arguments.list(ExplainingOptions.classes)
    return order.isEmpty ? nil : order
  }

  /// Sentences about the model.
  static func notes(_ remarks: [ModelRemark]) -> [String] {
    var notes: [String] = []
    let renamed = remarks.compactMap { remark -> String? in
      if case .renamed(let model, let table) = remark { "'\(model)' is '\(table)'" } else { nil }
    }
    if !renamed.isEmpty {
      notes.append(
        "columns matched to the model's names: " + renamed.prefix(4).joined(separator: ", ")
          + (renamed.count > 4 ? " and \(renamed.count - 4) more" : ""))
    }
    for remark in remarks {
      switch remark {
      case .renamed: continue
      case .classesTaken(let names):
        let outputs = names.prefix(8).enumerated().map { "\($0.offset) for \($0.element)" }
        notes.append(
          "the model does not name its classes; its outputs were taken in this order: "
            + outputs.joined(separator: ", ") + (names.count > 8 ? ", …" : "") + "; --classes says otherwise")
      case .rounds(let used, let total, let best):
        var note =
          used == total
          ? "all \(total) rounds of the model are used" : "\(used) of the model's \(total) rounds are used"
        if let best, best != used { note += "; early stopping found \(best) best: --rounds best" }
        if let best, best == used, used < total {
          note += ", the best that early stopping found; --rounds all uses every one"
        }
        notes.append(note)
      case .columnsLeftOut(let names):
        notes.append("left out, as the model takes fewer columns: " + names.joined(separator: ", "))
      }
    }
    return notes
  }
}
