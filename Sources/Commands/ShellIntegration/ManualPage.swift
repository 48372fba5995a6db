// The manual page, made from the declarations of the commands.

import Files

/// `headlamp(1)` in the language of man(7).
var manualPage: String {
  var text = """
    .TH HEADLAMP 1 "" "headlamp \(headlampVersion)" "User Commands"
    .SH NAME
    headlamp \\- which attention heads do a task, and why a black box said what it said
    .SH SYNOPSIS
    .B headlamp
    .I COMMAND
    [ARGUMENTS]
    .SH COMMANDS

    """
  for command in subcommands {
    let places = command.positionals.map { $0.count == .optional ? "[\($0.name)]" : $0.name }
    text += ".SS \(roff(([command.name] + places).joined(separator: " ")))\n"
    text += roff(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + ".") + "\n"
    for paragraph in command.discussion.laidOut(at: .max).split(separator: "\n") {
      text += ".PP\n" + roff(String(paragraph)) + "\n"
    }
    for positional in command.positionals {
      text += ".TP\n.I \(roff(positional.name))\n\(roff(positional.help))\n"
    }
    for option in command.syntax.options {
      let value = option.valueName.map { " \\fI\(roff($0))\\fR" } ?? ""
      let usual = option.defaultText.map { " (default \($0))" } ?? ""
      text += ".TP\n\\fB\\-\\-\(roff(option.name))\\fR\(value)\n\(roff(option.help + usual))\n"
    }
    for example in command.examples {
      text += ".PP\n.EX\n\(roff(example.line))\n.EE\n\(roff(example.shows))\n"
    }
  }
  return text + """
    .SH EXIT STATUS
    0 for success, 1 for failure, 2 for misuse, 130 where it was interrupted.
    .SH ENVIRONMENT
    .TP
    .B HEADLAMP_CIRCUITS
    the folder with the bundled tasks and model

    """
}

/// Text whose backslashes, hyphens and leading dots mean themselves.
private func roff(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
    let plain = line.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&" + plain : String(plain)
  }.joined(separator: "\n")
}
