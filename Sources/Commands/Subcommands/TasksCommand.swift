// headlamp tasks: which behaviours can be looked for.

import CircuitDiscovery
import Files

/// Lists the bundled tasks, and a user's own.
enum TasksCommand: Subcommand {
  static let name = "tasks"
  static let summary = "list the tasks: what each looks for, and which ground truths it knows"
  static let discussion = """
    Lists the bundled tasks and those given as arguments (a folder with a task.json, or a spec itself): name, \
    summary, how many different positive prompts its templates give with all words in use, and the ground truths \
    that 'evaluate --truth TASK:NAME' can use. Bundled tasks are found in the folder named by HEADLAMP_CIRCUITS, \
    else in ../share/headlamp/Circuits beside the executable, else in the Circuits folder of the checkout.
    """
  static let positionals = [Positional("TASK", .repeated, help: "further tasks: a folder, or a task.json")]
  static let json = Flag("json", help: "print one JSON object a line")
  static let options: [any OptionDeclaration] = [json]
  static let examples = [
    Example("headlamp tasks", "ioi, greater-than, docstring, induction and what is known about them")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let library = TaskLibrary.bundled()
    let tasks = try library.tasks() + arguments.positionals.map { try library.task($0) }
    guard !tasks.isEmpty else {
      throw UsageError.invalid("no tasks were found; HEADLAMP_CIRCUITS may name the folder that holds them")
    }
    if arguments[json] {
      for task in tasks { console.print(jsonValue(task).line) }
      return
    }
    let width = tasks.map(\.name.count).max() ?? 0
    for task in tasks {
      console.print("\(task.name.padded(to: width))  \(task.summary)")
      let margin = String(repeating: " ", count: width + 2)
      console.print(margin + "prompts: \(amount(task))")
      for truth in task.truths {
        console.print(
          margin + "truth \(task.name):\(truth.name): \(truth.heads.count) of "
            + "\(truth.layers * truth.headsPerLayer) heads of \(truth.model); \(truth.source)")
      }
    }
  }

  private static func amount(_ task: TaskSpec) -> String {
    switch task.possiblePrompts {
    case .exactly(let count): count < 1e6 ? "\(Int(count))" : count.text(significant: 2)
    case .unknown: "in a file"
    }
  }

  private static func jsonValue(_ task: TaskSpec) -> JSONValue {
    var members = [
      JSONMember("name", .string(task.name)), JSONMember("summary", .string(task.summary)),
      JSONMember("path", .string(task.path)),
    ]
    if case .exactly(let count) = task.possiblePrompts {
      members.append(JSONMember("prompts", .number(count)))
    }
    let truths = task.truths.map { truth in
      JSONValue.object([
        JSONMember("name", .string(truth.name)), JSONMember("model", .string(truth.model)),
        JSONMember("heads", .integer(truth.heads.count)), JSONMember("source", .string(truth.source)),
      ])
    }
    return .object(members + [JSONMember("ground_truths", .array(truths))])
  }
}
