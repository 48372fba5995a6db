// headlamp predict: what a model says of every row of a table.

import Files
import Reports
import Tables
import TabularExplainer
import Tensors

/// Writes a model's predictions for a table's rows.
enum PredictCommand: Subcommand {
  static let name = "predict"
  static let summary = "write what a model predicts for every row of a table"
  static let discussion = """
    Opens a model file (of 'headlamp fit', XGBoost, LightGBM, CatBoost or ONNX), reads a table that holds the model's
    features, with or without a target, and writes one line a row: the row's number, the predicted class or quantity,
    and for classes the probability of each.
    """
  static let positionals = [Positional("TABLE", help: "a table file")]
  static let model = Option<String>(
    "black-box", "FILE", help: "a model file of 'headlamp fit', XGBoost, LightGBM, CatBoost or ONNX")
  static let output = Option<String>("output", "FILE", help: "where the predictions go, as CSV")
  static let options: [any OptionDeclaration] =
    ExplainingOptions.table.filter {
      ![ExplainingOptions.hold.name, ExplainingOptions.group.name, ExplainingOptions.task.name].contains(
        $0.name)
    } + [model, ExplainingOptions.classes, ExplainingOptions.rounds, output]
  static let examples = [
    Example(
      "headlamp predict loans.csv --black-box model.json --output predictions.csv",
      "the model's answer for every row")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let path = arguments.positionals[0]
    let file = try arguments.required(output)
    guard let given = try GivenModel(arguments) else {
      throw UsageError.invalid("--black-box names the model's file")
    }
    console.progress("reading \(path)")
    var options = try ReadTable.options(arguments, excluding: [])
    if let names = given.file.featureNames { options.dates = .partsNamed(Set(names)) }
    var classes: [String]?
    if let target = arguments[ExplainingOptions.target] {
      // The target's classes are the names of the model's outputs; its column is no feature.
      options.task = given.task
      let table = try Table(readingFrom: path, target: target, options: options)
      if case .classes(_, let names) = table.target { classes = names }
      options.excludedColumns.insert(target)
    }
    let features = try Features(readingFrom: path, options: options)
    let model = try given.model(features, classes: classes)
    console.progress("predicting")
    let outputs = try model.blackBox.predict(features)
    let names = model.blackBox.outputNames
    var document = CSVDocument(
      header: ["row", "prediction"] + (names.count > 1 ? names.map { "probability_\($0)" } : []))
    let best = names.count > 1 ? Outcomes.classes(names).outcomes(outputs) : []
    let values = outputs.values
    for row in 0..<features.rowCount {
      let own = values[row * names.count..<(row + 1) * names.count].map { Double($0) }
      document.append(
        names.count > 1
          ? [.integer(row + 1), .text(names[best[row]])] + own.map { .number($0) }
          : [.integer(row + 1), .number(own[0])])
    }
    try document.write(to: file)
    console.endProgress()
    for note in GivenModel.notes(model.remarks) { console.print(note) }
    console.print("\(ReadingText.count(features.rowCount, "prediction")) written to \(file)")
  }
}
