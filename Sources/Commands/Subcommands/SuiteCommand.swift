// headlamp suite: models that rankings are judged on.

import Files

/// Trains the models of a suite.
enum SuiteCommand: Subcommand {
  static let name = "suite"
  static let summary = "train the models that rankings of heads are judged on"
  static let discussion = """
    'suite siblings' trains eleven small models on the bundled tasks, each with its own seed and shape: two to six
    layers of four to twelve heads, with and without MLPs and norms, learned and rotary positions, grouped heads and
    parallel blocks. Choices are made on the half 'fitting' and results reported on the half 'reporting'. A model that
    is there already is left alone, so that the same command goes on after an interruption. Each folder's training.json
    holds the command that trains it alone. 'compare --suite siblings' judges rankings on them.
    """
  static let positionals = [Positional("SUITE", help: "siblings")]
  static let output = Option<String>(
    "output", "DIR", default: "suites/siblings", help: "the folder to write models to")
  static let half = Option<SuiteHalf>(
    "half", "NAME", default: .both, help: "fitting, reporting or both")
  static let options: [any OptionDeclaration] = [output, half]
  static let examples = [
    Example(
      "headlamp suite siblings --half reporting", "six models, in about a quarter of an hour on two cores")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard arguments.positionals[0] == "siblings" else {
      throw UsageError.invalid("there is no suite '\(arguments.positionals[0])'; there is siblings")
    }
    let folder = try arguments.required(output)
    for sibling in Sibling.models(of: try arguments.required(half)) {
      let model = "\(folder)/\(sibling.name)"
      if fileExists(at: model + "/training.json") {
        console.note("\(model) is there already")
        continue
      }
      console.note("training \(model)")
      let isBegun = fileExists(at: model + "/checkpoint.safetensors")
      let words = Sibling.tasks + ["--output", model] + sibling.words + (isBegun ? ["--resume"] : [])
      try TrainModelCommand.run(
        ParsedArguments(words, for: TrainModelCommand.syntax), console: console)
    }
  }
}
