// From the words on the command line to an exit code.

import Files
import Tensors

/// Runs the command and ends the process: 0 for success, 1 for failure, 2 for misuse.
public func runHeadlamp(arguments: [String]) -> Never {
  let console = Console()
  reportFileSizeLimit()
  explainLostMaps()
  Faults.programFromEnvironment()
  do {
    try dispatch(arguments, console: console)
    exitProcess(0)
  } catch let error as any ExplainedError {
    console.problem("headlamp: \(error.sentence)")
    exitProcess(error.exitCode)
  } catch {
    console.problem("headlamp: \(error)")
    exitProcess(1)
  }
}

private func dispatch(_ arguments: [String], console: Console) throws {
  guard let name = arguments.first, name != "--help", name != "-h", name != "help" else {
    console.print(overviewText())
    return
  }
  if name == "--version" || name == "version" {
    console.print("headlamp \(headlampVersion)")
    return
  }
  guard let command = subcommands.first(where: { $0.name == name }) else {
    throw UsageError.unknownCommand(name, nearest: nearestWord(to: name, among: subcommands.map { $0.name }))
  }
  let words = Array(arguments.dropFirst())
  let parsed = try ParsedArguments(words, for: command.syntax(for: words))
  Threads.endLibraryWorkers()
  if parsed.asksForHelp {
    console.print(helpText(for: command))
    return
  }
  try parsed.refuseOverwritingInputs()
  try CommonOptions.apply(parsed)
  Interruption.explain("headlamp: interrupted; \(command.leftBehind(parsed))")
  let own = CommonOptions.console(parsed, for: command)
  try command.run(parsed, console: own)
  own.finish(command: name)
}
