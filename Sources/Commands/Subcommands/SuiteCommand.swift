// headlamp suite: models that rankings are judged on.

import CircuitDiscovery
import Files

/// Trains the models of a suite.
enum SuiteCommand: Subcommand {
  static let name = "suite"
  static let summary = "make the models that rankings of heads are judged on"
  static let discussion = """
    'suite siblings' trains eleven small models on the bundled tasks, each with its own seed and shape: two to six
    layers of four to twelve heads, with and without MLPs and norms, learned and rotary positions, grouped heads and
    parallel blocks. Choices are made on the half 'fitting' and results reported on the half 'reporting'. A model that
    is there already is left alone, so that the same command goes on after an interruption. Each folder's training.json
    holds the command that trains it alone.

    'suite planted' makes twelve models whose circuits are known because their weights were set by hand: induction,
    duplicate token and inhibition and mover, a word behind a marker, two steps of association; each with a head that
    works against the answer, with one that stands in where another is gone, or with an MLP between. All other heads
    are busy with what nobody reads. Replacing each head shows that just those act that should.

    'compare --suite NAME' judges rankings on them.
    """
  static let positionals = [Positional("SUITE", help: "siblings or planted")]
  static let output = Option<String>(
    "output", "DIR", help: "the folder to write models to (default: suites/siblings or suites/planted)")
  static let half = Option<SuiteHalf>(
    "half", "NAME", default: .both, help: "of siblings: fitting, reporting or both")
  static let options: [any OptionDeclaration] = [output, half]
  static let examples = [
    Example(
      "headlamp suite siblings --half reporting", "six models, in about a quarter of an hour on two cores")
  ]

  static func leftBehind(_ arguments: ParsedArguments) -> String {
    "models that were made are kept, and the same command goes on from them"
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let suite = try JudgingSuite(named: arguments.positionals[0])
    let folder = arguments[output] ?? suite.folder
    switch suite {
    case .siblings: try trainSiblings(in: folder, of: try arguments.required(half), console)
    case .planted:
      guard !arguments.isGiven(half) else {
        throw UsageError.invalid("--half says nothing of planted models: nothing is chosen on them")
      }
      try plant(in: folder, console)
    }
  }

  private static func trainSiblings(in folder: String, of half: SuiteHalf, _ console: Console) throws {
    for sibling in Sibling.models(of: half) {
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

  private static func plant(in folder: String, _ console: Console) throws {
    for recipe in PlantedRecipe.all {
      let model = "\(folder)/\(recipe.name)"
      try claimFolder(model)
      try recipe.write(toFolder: model)
      console.note("wrote \(model)")
    }
  }
}
