// Help texts, made from the declarations.

import Files

/// The text of `headlamp --help`.
func overviewText() -> String {
  let width = subcommands.map { $0.name.count }.max() ?? 0
  let rows = subcommands.map { "  \($0.name.padded(to: width))  \($0.summary)" }
  return """
    headlamp: which attention heads do a task, and why a black box said what it said

    usage: headlamp COMMAND [ARGUMENTS]

    \(rows.joined(separator: "\n"))

    'headlamp COMMAND --help' explains one and shows an example; 'headlamp --version' names the build.
    """
}

/// The text of `headlamp COMMAND --help`.
func helpText(for command: any Subcommand.Type) -> String {
  let places = command.positionals.map { positional in
    switch positional.count {
    case .required: positional.name
    case .optional: "[\(positional.name)]"
    case .repeated: "\(positional.name)…"
    }
  }
  var sections = [
    "usage: headlamp " + ([command.name] + places + ["[OPTIONS]"]).joined(separator: " "),
    command.discussion.laidOut(at: helpWidth),
  ]
  let left =
    command.positionals.map { ($0.name, $0.help) }
    + command.syntax.options.map { (optionText($0), optionHelp($0)) }
  let width = left.map(\.0.count).max() ?? 0
  let margin = String(repeating: " ", count: width + 4)
  sections.append(
    left.map { term, help in
      let lines = help.wrapped(at: max(40, helpWidth - width - 4)).split(separator: "\n")
      return "  \(term.padded(to: width))  " + lines.joined(separator: "\n" + margin)
    }.joined(separator: "\n"))
  let examples = command.examples.map { "  \($0.line)\n      \($0.shows)" }
  sections.append((examples.count > 1 ? "examples:\n" : "example:\n") + examples.joined(separator: "\n"))
  return sections.joined(separator: "\n\n")
}

/// The columns that help texts keep to: the terminal's, 60 to 110; 110 where there is none.
private var helpWidth: Int { min(110, max(60, StandardStream.output.columns ?? 110)) }

private func optionText(_ option: any OptionDeclaration) -> String {
  "--\(option.name)" + (option.valueName.map { " \($0)" } ?? "")
}

private func optionHelp(_ option: any OptionDeclaration) -> String {
  option.help + (option.defaultText.map { " (default \($0))" } ?? "")
}

extension String {
  /// Paragraphs laid out anew: lines that belong together are joined, then broken once at `width`. Blank lines part
  /// paragraphs, and indented lines stay lines of their own.
  func laidOut(at width: Int) -> String {
    var paragraphs: [String] = []
    var isOpen = false
    for line in split(separator: "\n", omittingEmptySubsequences: false) {
      if isOpen, let last = paragraphs.last, !last.isEmpty, !line.isEmpty, !line.hasPrefix(" ") {
        paragraphs[paragraphs.count - 1] = last + " " + line
      } else {
        paragraphs.append(String(line))
      }
      isOpen = !line.isEmpty && !line.hasPrefix(" ")
    }
    return paragraphs.joined(separator: "\n").wrapped(at: width)
  }

  /// The text with lines that are too long broken at blanks; what follows a break is indented as its line began.
  func wrapped(at width: Int) -> String {
    split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
      guard line.count > width else { return String(line) }
      let indent = String(repeating: " ", count: line.prefix { $0 == " " }.count)
      var lines: [String] = []
      var current = indent
      for word in line.split(separator: " ") {
        if current.count + 1 + word.count > width, current != indent {
          lines.append(current)
          current = indent
        }
        current += (current == indent ? "" : " ") + word
      }
      return (lines + [current]).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// The text with blanks added on the right up to `width` characters.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// The text with blanks added on the left up to `width` characters.
  func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
