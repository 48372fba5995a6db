// headlamp limits: what files may ask for, and how to allow more.

import Files

/// Lists the limits that files are held against.
enum LimitsCommand: Subcommand {
  static let name = "limits"
  static let summary = "list what files may ask for at most"
  static let discussion = """
    A file of a few bytes can claim a billion layers or unpack to a thousand times its size. Every such claim is held
    against a limit before memory is taken for it. Prints each limit with its value here; --limit NAME=VALUE raises it,
    with every command.
    """
  static let positionals: [Positional] = []
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] = [json]
  static let examples = [
    Example("headlamp limits", "the limits on this machine"),
    Example("headlamp limits --limit memory=8G,layers=20000", "the same with two of them set"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) {
    if arguments[json] {
      let members = Limit.allCases.map { JSONMember($0.rawValue, .integer($0.value)) }
      console.print(JSONValue.object(members).line)
      return
    }
    let names = Limit.allCases.map { $0.rawValue.count }.max() ?? 0
    let values = Limit.allCases.map { $0.text(for: $0.value) }
    let width = values.map(\.count).max() ?? 0
    for (limit, value) in zip(Limit.allCases, values) {
      console.print(
        "\(limit.rawValue.padded(to: names))  \(value.leftPadded(to: width))  \(limit.meaning)")
    }
  }
}
