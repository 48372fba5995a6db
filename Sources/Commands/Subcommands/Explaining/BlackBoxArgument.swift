// The black box that a command line names.

import Files
import Tables
import TabularExplainer
import Tensors
import Trees

extension SplitTable {
  /// Fits, opens or starts the black box that `arguments` name, and probes it.
  func probed(_ arguments: ParsedArguments, console: Console) throws -> ProbedBlackBox {
    let seed = arguments[ExplainingOptions.seed] ?? 0
    let sources = [
      ExplainingOptions.blackBox, ExplainingOptions.blackBoxCommand, ExplainingOptions.predictions,
    ]
    guard sources.count(where: { arguments.isGiven($0) }) <= 1 else {
      throw UsageError.invalid("--black-box, --black-box-command and --predictions exclude one another")
    }
    if let command = arguments[ExplainingOptions.blackBoxCommand] {
      let seconds = arguments[ExplainingOptions.timeout] ?? 60
      guard seconds > 0 else {
        throw UsageError.badValue(
          option: "timeout", value: "\(seconds)", expectation: "a number of seconds above 0")
      }
      let call = try programCall(command, isShellLine: arguments[ExplainingOptions.shell])
      let order = GivenModel.classOrder(arguments)
      if let order, Set(order) != Set(outputNames) {
        throw UsageError.invalid(
          "--classes names \(order.joined(separator: ", ")); the target's classes are \(outputNames.joined(separator: ", "))"
        )
      }
      let program = ProgramBlackBox(call: call, outputNames: order ?? outputNames, timeout: seconds)
      return try ProbedBlackBox(given: program, name: command, table, training: split.training, seed: seed)
    }
    if arguments[ExplainingOptions.shell] {
      throw UsageError.invalid("--shell goes with --black-box-command")
    }
    if arguments.isGiven(ExplainingOptions.predictions) {
      let box = ColumnBlackBox(
        table.features, predictions: try givenPredictions(arguments.list(ExplainingOptions.predictions)),
        outputNames: outputNames)
      return try ProbedBlackBox(
        given: box, name: "predictions in the table", table, training: split.training, seed: seed)
    }
    let word = arguments[ExplainingOptions.blackBox] ?? "auto"
    if let file = read.quantised, word == "auto" || word == BlackBoxKind.boosted.rawValue {
      return try probed(file, seed: seed, console: console)
    }
    if word == "auto" {
      return try BlackBoxKind.usual(for: table)
        .probed(table, training: split.training, seed: seed, progress: console.progress)
    }
    if let kind = BlackBoxKind(rawValue: word) {
      return try kind.probed(table, training: split.training, seed: seed, progress: console.progress)
    }
    guard let model else {
      throw UsageError.badValue(
        option: "black-box", value: word,
        expectation: "auto, \(BlackBoxKind.allCases.map(\.rawValue).joined(separator: ", ")), or a model file"
      )
    }
    return try ProbedBlackBox(model: model, name: word, table, training: split.training, seed: seed)
  }

  /// Boosted trees fitted to a quantised table's rows, but for those held out, and probed on its sample.
  private func probed(_ file: QuantisedTable, seed: UInt64, console: Console) throws -> ProbedBlackBox {
    var options = BoostingOptions()
    options.seed = seed
    let fitted = try TreeEnsemble.boosted(file, options: options, holding: hold) { round in
      console.progress("fitting boosted trees to \(file.rowCount) rows", round, of: options.rounds, "rounds")
    }
    var probed = try ProbedBlackBox(
      given: TreeBlackBox(fitted.ensemble), name: BlackBoxKind.boosted.rawValue, ensemble: fitted.ensemble,
      table, training: split.training, seed: seed)
    probed.outputSource = .fitted
    return probed
  }

  /// The program that a line names; a shell reads the line only where the user asks for it.
  private func programCall(_ line: String, isShellLine: Bool) throws(UsageError) -> ProgramCall {
    if isShellLine { return .shell(line) }
    do throws(CommandLineProblem) {
      return .words(try commandWords(line))
    } catch {
      switch error {
      case .empty: throw .invalid("--black-box-command names no program")
      case .openQuote: throw .invalid("--black-box-command has a quote that is not closed: \(line)")
      case .needsShell(let character):
        throw .invalid(
          "--black-box-command holds '\(character)', which only a shell understands: quote it, or add --shell"
        )
      }
    }
  }

  private var outputNames: [String] {
    if case .classes(_, let names) = table.target { names } else { [table.targetName] }
  }

  /// The columns of predictions: probabilities of every class in the order of the classes, of the second class alone,
  /// or the predicted class or quantity itself.
  private func givenPredictions(_ names: [String]) throws -> Tensor {
    guard let columns = read.asideColumns else {
      throw UsageError.invalid("--predictions needs columns of a table file")
    }
    let (rows, width) = (table.rowCount, outputNames.count)
    func isNumeric(_ place: Int) -> Bool { columns.kinds[place] == .numeric }
    if names.count == width, names.indices.allSatisfy(isNumeric) {
      return Tensor(
        (0..<rows).flatMap { row in names.indices.map { columns[row, $0] } }, shape: [rows, width])
    }
    guard names.count == 1 else {
      throw UsageError.invalid(
        "--predictions names \(names.count) columns; one is needed, or one for each of the \(width) classes")
    }
    if case .categorical(let words) = columns.kinds[0] {
      let places = words.map { outputNames.firstIndex(of: $0) }
      return Tensor(
        (0..<rows).flatMap { row -> [Float] in
          let cell = columns[row, 0]
          let place = cell.isNaN ? nil : places[Int(cell)]
          return (0..<width).map { $0 == place ? 1 : 0 }
        }, shape: [rows, width])
    }
    guard width == 2, columns.column(0).allSatisfy({ $0 >= 0 && $0 <= 1 }) else {
      throw UsageError.invalid(
        "column '\(names[0])' holds neither probabilities nor names of the \(width) classes")
    }
    return Tensor((0..<rows).flatMap { [1 - columns[$0, 0], columns[$0, 0]] }, shape: [rows, 2])
  }
}

extension ExplainerOptions {
  /// The options that `arguments` name.
  init(_ arguments: ParsedArguments, _ features: Features) throws(UsageError) {
    self.init(seed: arguments[ExplainingOptions.seed] ?? 0)
    if case .count(let count) = arguments[ExplainingOptions.top] {
      guard count <= features.count else {
        throw .invalid("--top \(count): the table has \(ReadingText.count(features.count, "feature"))")
      }
      top = count
    }
    surrogate = arguments[ExplainingOptions.surrogate]?.kind
    size = arguments[ExplainingOptions.leaves]
    if let size, size < 2 {
      throw .badValue(option: "leaves", value: "\(size)", expectation: "a whole number from 2")
    }
    if size != nil, surrogate == nil { surrogate = .tree }
  }
}
