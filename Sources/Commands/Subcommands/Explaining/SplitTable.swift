// The table that a command line names, a part of it held out.

import Tables
import TabularExplainer
import Trees

/// A table and its split into rows to fit to and rows to measure on.
struct SplitTable {
  /// The table, and what is to be said about it.
  let read: ReadTable
  /// The rows to fit to, and those held out.
  let split: Split
  /// The share held out.
  let hold: Double
  /// The model that a file holds, tied to the table.
  let model: ImportedModel?

  /// The table.
  var table: Table { read.table }

  /// Reads and splits the table that `arguments` name, and opens the model that they name.
  init(_ arguments: ParsedArguments, keepingAside aside: [String] = []) throws {
    var hold = arguments[ExplainingOptions.hold] ?? 0.25
    guard hold > 0, hold < 1 else {
      throw UsageError.badValue(option: "hold", value: "\(hold)", expectation: "a share between 0 and 1")
    }
    if arguments.isGiven(ExplainingOptions.timeout), !arguments.isGiven(ExplainingOptions.blackBoxCommand) {
      throw UsageError.invalid("--timeout has no effect without --black-box-command")
    }
    let given = try GivenModel(arguments)
    var read = try ReadTable(arguments, keepingAside: aside, model: given)
    if let given {
      let features = read.table.features
      var classes: [String]?
      if case .classes(_, let names) = read.table.target { classes = names }
      let chosen = try Self.fitted(given, features, read.table)
      let model = try given.model(chosen.features, classes: classes)
      if let table = chosen.table { read.table = table }
      read.notes += GivenModel.notes(model.remarks + chosen.remarks)
      if classes != nil, model.blackBox.outputNames.count > 1,
        let table = read.table.withClasses(model.blackBox.outputNames)
      {
        read.table = table
      }
      self.model = model
    } else {
      model = nil
    }
    let seed = arguments[ExplainingOptions.seed] ?? 0
    // As 'fit' holds them out, so that a model of its own is measured on rows that it has not seen.
    if read.quantised != nil, !arguments.isGiven(ExplainingOptions.hold) { hold = QuantisedFit.heldShare }
    split =
      try read.quantised?.sampleSplit(holding: hold, seed: seed)
      ?? read.table.split(holding: hold, groups: read.groups, seed: seed)
    self.hold = hold
    if case .classes(let labels, let names) = read.table.target, !read.table.targetIsPredicted {
      let held = Set(split.held.map { labels[$0] })
      if held.count == 1, let only = held.first {
        read.notes.append(
          "all \(split.held.count) held-out rows are '\(names[only])': their measures say little")
      }
    }
    self.read = read
  }

  /// A table's features as many as a model takes that does not name its own: row numbers and identifiers, which are
  /// kept for models that may know them, are left out where that makes them fit.
  private static func fitted(
    _ given: GivenModel, _ features: Features, _ table: Table
  ) throws -> (features: Features, table: Table?, remarks: [ModelRemark]) {
    let count = given.file.featureCount
    guard given.file.featureNames == nil, count > 0, features.count > count else {
      return (features, nil, [])
    }
    let texts = features.names.indices.filter { place in
      if case .categorical(let names) = features.kinds[place] {
        names.count * 2 > features.rowCount
      } else {
        false
      }
    }
    let likely = table.likelyIdentifiers.union(texts)
    guard features.count - likely.count == count else { return (features, nil, []) }
    let kept = features.names.indices.filter { !likely.contains($0) }
    let fewer = features.selecting(features: kept)
    return (
      fewer, table.replacing(features: fewer), [.columnsLeftOut(likely.sorted().map { features.names[$0] })]
    )
  }
}
