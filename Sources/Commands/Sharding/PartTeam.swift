// A command done by several processes that take parts from one list.

import Files
import Tensors
import Trees

/// Processes that work together, as one of them sees it.
public protocol PartTeam: RowTeam {
  /// How many of them share this machine.
  var ranksOnNode: Int { get }
  /// On rank 0: begins to hand out the numbers from 1 to `count`, each once, in order.
  func handOut(_ count: Int)
  /// The next number for this process; nil where none is left.
  func next() -> Int?
  /// The lowest process whose code is not 0, with its code, once all have said theirs; nil where all are 0.
  func firstProblem(_ code: Int32) -> (rank: Int, code: Int32)?
  /// Waits until all processes have come here.
  func waitForAll()
  /// Leaves the team, as all do.
  func finish()
  /// Ends every process.
  func abort(_ code: Int32)
}

/// Ends the process where there is no team to be had.
public func refuseTeam(program: String) -> Never {
  Console().problem(
    "\(program): this MPI cannot be called from several threads (MPI_THREAD_MULTIPLE), which it must")
  exitProcess(1)
}

/// Does a command together and ends the process: in parts, each by the process that is free next, which are merged; or
/// with a model whose layers the processes share.
///
/// Parts that are finished already are not done again, so that the same command goes on after a failure.
public func runHeadlamp(arguments: [String], with team: some StageTeam, program: String) -> Never {
  let console = Console()
  do {
    try run(arguments, team, program, console)
  } catch let error as any ExplainedError {
    guard error.exitCode == 2 else {
      console.problem("\(program): \(error.sentence)")
      team.abort(error.exitCode)
      exitProcess(error.exitCode)
    }
    // What is wrong with the command line is seen by all, and said by one.
    if team.rank == 0 { console.problem("\(program): \(error.sentence)") }
    team.waitForAll()
    team.finish()
    exitProcess(error.exitCode)
  } catch {
    console.problem("\(program): \(error)")
    team.abort(1)
    exitProcess(1)
  }
}

/// What processes divide among them.
private enum TeamSplit: String, CaseIterable, ArgumentValue {
  case parts
  case layers
}

private enum TeamOptions {
  static let parts = Option<Int>("parts", "N", help: "how many parts (default: four a process)")
  static let split = Option<TeamSplit>(
    "split", "parts|layers", default: .parts, help: "what processes divide: the work, or the model's layers")
  static let names: Set<String> = [parts.name, split.name]

  static func help(_ program: String) -> String {
    """
    usage: mpirun -n RANKS \(program) COMMAND [ARGUMENTS] --output OUT [--parts N]
           mpirun -n RANKS \(program) \(RecordCommand.name) [ARGUMENTS] --output OUT --split layers

    Does one of \(PartedCommand.possible.map { $0.name }.joined(separator: ", ")) in N parts: each process takes the next
    part when it has finished one, so that a slow node holds nobody up, and the first merges them to OUT. Finished parts
    are kept in OUT.parts; after a failure the same command with the same --parts goes on. --parts is four times the number
    of processes unless given. With --split layers each process holds some of the model's layers, for models that are
    larger than a node's memory. 'headlamp COMMAND --help' explains a command and its options.

    'fit' of a table that 'headlamp quantise' wrote has no parts: each process holds some of the rows, and the trees are
    those of one process.
    """
  }
}

/// Fits trees to a quantised table whose rows the processes share, and ends the process.
private func fit(_ words: [String], _ team: some PartTeam, _ program: String) throws -> Never {
  let arguments = try ParsedArguments(words, for: FitCommand.syntax)
  let console = try prepareProcess(arguments, team)
  let fit = team.together(program, console) {
    guard QuantisedTable.isOne(arguments.positionals[0]) else {
      throw UsageError.invalid(
        "'\(program) fit' shares the rows of a quantised table; make one with 'headlamp quantise'")
    }
    return try QuantisedFit(arguments)
  }
  try fit.run(console: console, team: team)
  team.waitForAll()
  team.finish()
  exitProcess(0)
}

private func run(
  _ words: [String], _ team: some StageTeam, _ program: String, _ console: Console
) throws -> Never {
  guard !words.isEmpty, !words.contains("--help"), !words.contains("-h") else {
    if team.rank == 0 { console.print(TeamOptions.help(program)) }
    team.finish()
    exitProcess(0)
  }
  if words[0] == FitCommand.name { try fit(Array(words.dropFirst()), team, program) }
  let command = try PartedCommand.command(of: words)
  let options: [any OptionDeclaration] = [TeamOptions.parts, TeamOptions.split] + command.syntax.options
  let syntax = Syntax(
    command: program,
    positionals: [Positional("COMMAND", help: ""), Positional("ARGUMENT", .repeated, help: "")],
    options: options)
  let parsed = try ParsedArguments(words, for: syntax)
  switch parsed[TeamOptions.split] ?? .parts {
  case .parts:
    let parted = try PartedCommand(
      command, parsed, count: parsed[TeamOptions.parts] ?? 4 * team.size, leavingOut: TeamOptions.names)
    let own = try prepareProcess(parsed, team)
    try run(parted, team, program, own)
  case .layers:
    guard command == RecordCommand.self else {
      throw UsageError.invalid(
        "'\(command.name)' cannot be done with a model's layers on several processes; '\(RecordCommand.name)' can"
      )
    }
    guard !parsed.isGiven(TeamOptions.parts) else {
      throw UsageError.invalid("--parts divides the work and --split layers the model: leave one of them out")
    }
    let arguments = try ParsedArguments(
      PartedCommand.ownWords(parsed, leavingOut: TeamOptions.names), for: command.syntax)
    let own = try prepareProcess(parsed, team)
    LayeredRecording(arguments: arguments, team: team, program: program, console: own).run()
  }
  team.finish()
  exitProcess(0)
}

/// Applies the options that every command has; processes of one machine share its cores.
private func prepareProcess(_ arguments: ParsedArguments, _ team: some PartTeam) throws -> Console {
  try CommonOptions.apply(arguments)
  if !arguments.isGiven(CommonOptions.threads) {
    Threads.use(max(1, Threads.count / max(1, team.ranksOnNode)))
  }
  Threads.endLibraryWorkers()
  return Console(isQuiet: arguments[CommonOptions.quiet])
}

/// Does parts until none is left.
private func run(
  _ parted: PartedCommand, _ team: some PartTeam, _ program: String, _ console: Console
) throws {
  let command = parted.command
  try makeFolder(parted.folder)
  if team.rank == 0 {
    Interruption.explain(
      "\(program): interrupted; parts that are finished are kept, and the same command goes on")
    team.handOut(parted.count)
  }
  while let part = team.next() {
    do {
      let words = parted.words(part: String(part)).dropFirst()
      try command.run(ParsedArguments(Array(words), for: command.syntax), console: console)
    } catch let error as any ExplainedError {
      throw PartFailure(rank: team.rank, part: part, count: parted.count, underlying: error)
    }
  }
  team.waitForAll()
  if team.rank == 0 {
    let words = Array(parted.mergeWords.dropFirst())
    try MergeCommand.run(ParsedArguments(words, for: MergeCommand.syntax), console: console)
    console.finish(command: command.name)
  }
}

/// A part that could not be done.
struct PartFailure: ExplainedError {
  var rank: Int
  var part: Int
  var count: Int
  var underlying: any ExplainedError

  /// One process alone may fail so; it is no misuse that all see.
  var exitCode: Int32 { 1 }

  var sentence: String {
    "rank \(rank), part \(part)/\(count): \(underlying.sentence); finished parts are kept, and the same command goes on"
  }
}
