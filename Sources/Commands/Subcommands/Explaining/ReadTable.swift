// The table that a command line names, read.

import Files
import Tables
import TabularExplainer
import Tensors
import Trees

/// A table, and what is to be said about reading it.
struct ReadTable {
  var table: Table
  /// What the table is called in outputs.
  var name: String
  /// Lines about the table that a reader should see.
  var notes: [String]
  /// The named columns' cells, kept out of the features.
  var asideColumns: Features?
  /// How long the file took to read.
  var readSeconds = 0.0
  /// A number per row: rows of one number stay on one side of every split.
  var groups: [Int]?
  /// The file that the rows are a sample of, where it is a quantised table.
  var quantised: QuantisedTable?

  /// Reads the table that `arguments` name; `example` is the project's own.
  /// - Parameter model: a given model, which decides the task, and what stands in for a target that is not there.
  init(_ arguments: ParsedArguments, keepingAside aside: [String] = [], model: GivenModel? = nil) throws {
    let path = arguments.positionals[0]
    let seed = arguments[ExplainingOptions.seed] ?? 0
    let group = arguments[ExplainingOptions.group]
    if path == "example" {
      let example = ExampleTable(seed: seed &+ 1)
      table = Table(
        features: example.features, target: .classes(example.labels, names: example.classNames),
        targetName: example.targetName)
      name = "example"
      notes = [
        "a table of the project's own: a seedling thrives if "
          + FeatureCatalogue(example.features).text(example.rule) + " (2 % of the labels are turned round)"
      ]
      if let target = arguments[ExplainingOptions.target], target != example.targetName {
        throw TableError.noSuchColumn(path: path, name: target, nearest: nil)
      }
      let others = ExplainingOptions.table.filter {
        ![ExplainingOptions.target.name, ExplainingOptions.hold.name].contains($0.name)
      }
      if let option = others.first(where: { arguments.isGiven($0) }) {
        throw UsageError.invalid(
          "--\(option.name) has no effect on the table 'example', which is made, not read")
      }
    } else if QuantisedTable.isOne(path) {
      let settled = ExplainingOptions.table.filter { $0.name != ExplainingOptions.hold.name }
      if let option = settled.first(where: { arguments.isGiven($0) }) {
        throw UsageError.invalid(
          "--\(option.name) has no effect on a quantised table: 'headlamp quantise' has settled it")
      }
      guard aside.isEmpty else {
        throw UsageError.invalid("--predictions needs the table itself, not a quantised one")
      }
      let clock = ContinuousClock()
      let start = clock.now
      let file = try QuantisedTable(path: path)
      table = file.sample
      quantised = file
      readSeconds = (clock.now - start).seconds
      name = path
      notes = [
        "\(table.rowCount) sampled rows of the quantised table's \(file.rowCount); row numbers count within the sample"
      ]
      notes += Self.notes(table)
    } else {
      let excluded = Set(aside + [group].compactMap { $0 })
      if let target = arguments[ExplainingOptions.target] {
        if target == group { throw UsageError.invalid("--group names the target '\(target)'") }
        if aside.contains(target) { throw UsageError.invalid("--predictions names the target '\(target)'") }
        if arguments.list(ExplainingOptions.exclude).contains(target) {
          throw UsageError.invalid("--exclude names the target '\(target)'")
        }
      }
      var options = try Self.options(arguments, excluding: excluded)
      if let names = model?.file.featureNames { options.dates = .partsNamed(Set(names)) }
      if let model, arguments[ExplainingOptions.task] == nil { options.task = model.task }
      let clock = ContinuousClock()
      let start = clock.now
      if let model, !arguments.isGiven(ExplainingOptions.target), aside.isEmpty, group == nil,
        model.isUnlabelled(try columnNames(readingFrom: path, options: options))
      {
        table = try Self.unlabelled(path, options, model)
      } else {
        table = try Table(readingFrom: path, target: arguments[ExplainingOptions.target], options: options)
      }
      readSeconds = (clock.now - start).seconds
      name = path
      notes = Self.notes(table)
      if !excluded.isEmpty {
        var plain = TableOptions()
        plain.header = options.header
        plain.separator = options.separator
        plain.categoryLimit = 1 << 24
        let all = try Features(readingFrom: path, options: plain)
        let chosen = try (aside + [group].compactMap { $0 }).map { name in
          guard let place = all.names.firstIndex(of: name) else {
            throw TableError.noSuchColumn(
              path: path, name: name, nearest: nearestWord(to: name, among: all.names))
          }
          return place
        }
        guard all.rowCount == table.rowCount else {
          throw UsageError.invalid(
            "some cells of the target are missing; fill them before --group or --predictions is used")
        }
        let columns = all.selecting(features: chosen)
        asideColumns = columns
        if group != nil { groups = Self.groupNumbers(columns.column(columns.count - 1)) }
      }
    }
    if table.targetIsPredicted {
      notes.insert("the table has no target: what the model predicts stands in for it", at: 0)
    }
    guard table.rowCount >= Self.fewestRows else {
      throw TabularExplainerError.tooFewRows(count: table.rowCount, needed: Self.fewestRows)
    }
    if case .classes(let labels, let names) = table.target, let first = labels.first,
      labels.allSatisfy({ $0 == first }), model == nil
    {
      throw TabularExplainerError.oneClass(target: table.targetName, name: names[first])
    }
    if case .classes(let labels, let names) = table.target, model == nil,
      !arguments.isGiven(ExplainingOptions.blackBoxCommand), !arguments.isGiven(ExplainingOptions.predictions)
    {
      var counts = [Int](repeating: 0, count: names.count)
      for label in labels { counts[label] += 1 }
      if let most = counts.indices.max(by: { counts[$0] < counts[$1] }),
        labels.count - counts[most] < Self.fewestOthers
      {
        throw TabularExplainerError.rareClasses(
          target: table.targetName, name: names[most], others: labels.count - counts[most])
      }
    }
    guard table.features.hasVaryingFeature else {
      throw TabularExplainerError.nothingVaries(features: table.features.count)
    }
  }

  /// Rows of other classes than the commonest: one to hold out, and one for each of two folds.
  private static let fewestOthers = 3

  /// A table without a target, with the model's predictions in its place.
  private static func unlabelled(_ path: String, _ options: TableOptions, _ given: GivenModel) throws -> Table
  {
    let features = try Features(readingFrom: path, options: options)
    let box = try given.model(features, classes: nil).blackBox
    let outputs = try box.predict(features)
    let target: Target =
      box.outputNames.count > 1
      ? .classes(Outcomes.classes(box.outputNames).outcomes(outputs), names: box.outputNames)
      : .values(outputs.values)
    return Table(features: features, target: target, targetName: "prediction", targetIsPredicted: true)
  }

  /// A surrogate with anything to say needs a few rows on both sides.
  private static let fewestRows = 8

  /// How `arguments` ask for the table to be read.
  static func options(
    _ arguments: ParsedArguments, excluding excluded: Set<String>
  ) throws -> TableOptions {
    var options = TableOptions()
    options.separator = arguments[ExplainingOptions.separator]?.byte
    options.keptColumns = Set(arguments.list(ExplainingOptions.keep))
    options.declaresColumns = arguments[ExplainingOptions.asDeclared]
    guard
      !options.declaresColumns || arguments.isGiven(ExplainingOptions.keep)
        || arguments.isGiven(ExplainingOptions.categorical)
    else { throw UsageError.invalid("--as-declared goes with --keep or --categorical") }
    if arguments.hasGivenModel {
      // The model knows which columns it was fitted to, and compares in the precision it was fitted in.
      options.identifiers = .kept
      options.dates = .asNumbers
      options.precision = .exact
      options.categoryLimit = 1 << 20
    }
    options.categoricalColumns = Set(arguments.list(ExplainingOptions.categorical))
    options.excludedColumns = Set(arguments.list(ExplainingOptions.exclude)).union(excluded)
    options.furtherMissingTexts = arguments.list(ExplainingOptions.missing)
    switch arguments[ExplainingOptions.header] {
    case .names: options.header = .present
    case .noNames: options.header = .absent
    case .automatic, nil: options.header = .detected
    }
    switch arguments[ExplainingOptions.task] {
    case .classification: options.task = .classification
    case .regression: options.task = .regression
    case nil: break
    }
    return options
  }

  private static func groupNumbers(_ column: [Float]) -> [Int] {
    var numbers: [UInt32: Int] = [:]
    return column.map { value in
      if let known = numbers[value.bitPattern] { return known }
      let next = numbers.count
      numbers[value.bitPattern] = next
      return next
    }
  }

  private static func notes(_ table: Table) -> [String] {
    var notes: [String] = []
    if table.rowsWithoutTarget > 0 {
      notes.append("\(ReadingText.count(table.rowsWithoutTarget, "row")) without a target left out")
    }
    if table.duplicateRowCount > 0 {
      notes.append(
        table.duplicateRowCount == 1
          ? "1 row repeats another's features; copies stay on one side of the split"
          : "\(table.duplicateRowCount) rows repeat another's features; copies stay on one side of the split")
    }
    notes += ReadingText.notes(table)
    if !table.repeatedNames.isEmpty {
      notes.append("names used twice, numbered: " + table.repeatedNames.joined(separator: ", "))
    }
    let leaks = table.targetIsPredicted ? [] : table.leaks()
    for leak in leaks.prefix(5) {
      notes.append("'\(leak.feature)' determines '\(table.targetName)' by itself: is it known beforehand?")
    }
    if leaks.isEmpty, !table.targetIsPredicted, let parts = table.jointLeak() {
      let names = parts.dropLast().map { "'\($0)'" }.joined(separator: ", ")
      notes.append(
        "\(names) and '\(parts[parts.count - 1])' together determine '\(table.targetName)', as a sum of multiples of them: "
          + "are they known beforehand?")
    }
    return notes
  }
}
