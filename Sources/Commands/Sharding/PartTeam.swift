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

/// Does a command in parts, each by the process that is free next, then merges them, and ends the process.
///
/// Parts that are finished already are not done again, so that the same command goes on after a failure.
public func runHeadlamp(arguments: [String], with team: some PartTeam, program: String) -> Never {
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

private enum TeamOptions {
  static let parts = Option<Int>("parts", "N", help: "how many parts (default: four a process)")

  static func help(_ program: String) -> String {
    """
    usage: mpirun -n RANKS \(program) COMMAND [ARGUMENTS] --output OUT [--parts N]

    Does one of \(PartedCommand.possible.map { $0.name }.joined(separator: ", ")) in N parts: each process takes the next
    part when it has finished one, so that a slow node holds nobody up, and the first merges them to OUT. Finished parts
    are kept in OUT.parts; after a failure the same command with the same --parts goes on. --parts is four times the number
    of processes unless given. 'headlamp COMMAND --help' explains a command and its options.

    'fit' of a table that 'headlamp quantise' wrote has no parts: each process holds some of the rows, and the trees are
    those of one process.
    """
  }
}

/// Gives each process of a machine its share of the cores, unless the user says how many threads it has.
private func shareCores(_ parsed: ParsedArguments, _ team: some PartTeam) {
  if !parsed.isGiven(CommonOptions.threads) {
    Threads.use(max(1, Threads.count / max(1, team.ranksOnNode)))
  }
  Threads.endLibraryWorkers()
}

private func run(_ words: [String], _ team: some PartTeam, _ program: String, _ console: Console) throws
  -> Never
{
  guard !words.isEmpty, !words.contains("--help"), !words.contains("-h") else {
    if team.rank == 0 { console.print(TeamOptions.help(program)) }
    team.finish()
    exitProcess(0)
  }
  if words.first == FitCommand.name {
    let parsed = try ParsedArguments(Array(words.dropFirst()), for: FitCommand.syntax)
    try CommonOptions.apply(parsed)
    shareCores(parsed, team)
    guard QuantisedTable.isOne(parsed.positionals[0]) else {
      throw UsageError.invalid(
        "'\(program) fit' shares the rows of a quantised table; make one with 'headlamp quantise'")
    }
    try QuantisedFit.run(parsed, console: Console(isQuiet: parsed[CommonOptions.quiet]), team: team)
    team.waitForAll()
    team.finish()
    exitProcess(0)
  }
  let command = try PartedCommand.command(of: words)
  let options: [any OptionDeclaration] = [TeamOptions.parts] + command.syntax.options
  let syntax = Syntax(
    command: program,
    positionals: [Positional("COMMAND", help: ""), Positional("ARGUMENT", .repeated, help: "")],
    options: options)
  let parsed = try ParsedArguments(words, for: syntax)
  let parted = try PartedCommand(
    command, parsed, count: parsed[TeamOptions.parts] ?? 4 * team.size, leavingOut: [TeamOptions.parts.name])
  try CommonOptions.apply(parsed)
  shareCores(parsed, team)
  let own = Console(isQuiet: parsed[CommonOptions.quiet])
  try makeFolder(parted.folder)
  if team.rank == 0 {
    Interruption.explain(
      "\(program): interrupted; parts that are finished are kept, and the same command goes on")
    team.handOut(parted.count)
  }
  while let part = team.next() {
    do {
      let words = parted.words(part: String(part)).dropFirst()
      try command.run(ParsedArguments(Array(words), for: command.syntax), console: own)
    } catch let error as any ExplainedError {
      throw PartFailure(rank: team.rank, part: part, count: parted.count, underlying: error)
    }
  }
  team.waitForAll()
  if team.rank == 0 {
    let words = Array(parted.mergeWords.dropFirst())
    try MergeCommand.run(ParsedArguments(words, for: MergeCommand.syntax), console: own)
    own.finish(command: command.name)
  }
  team.finish()
  exitProcess(0)
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
