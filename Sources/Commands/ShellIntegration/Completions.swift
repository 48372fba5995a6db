// Completions for shells, made from the declarations of the commands.

import Files

/// A shell that completions can be made for.
enum Shell: String, CaseIterable, ArgumentValue {
  case bash, zsh, fish

  /// The script that teaches the shell every command and option.
  var completions: String {
    switch self {
    case .bash: bashCompletions
    case .zsh: zshCompletions
    case .fish: fishCompletions
    }
  }
}

private func longOptions(_ command: any Subcommand.Type) -> [any OptionDeclaration] {
  command.syntax.options
}

private var bashCompletions: String {
  let cases = subcommands.map { command in
    let words = (longOptions(command).map { "--" + $0.name } + ["--help"]).joined(separator: " ")
    return "    \(command.name)) words=\"\(words)\" ;;"
  }
  return """
    # bash completions of headlamp
    _headlamp() {
      local current=${COMP_WORDS[COMP_CWORD]} words
      if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "\(subcommands.map { $0.name }.joined(separator: " ")) --help --version" -- "$current"))
        return
      fi
      case ${COMP_WORDS[1]} in
    \(cases.joined(separator: "\n"))
      esac
      case $current in
        -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
        *) COMPREPLY=($(compgen -f -- "$current")) ;;
      esac
    }
    complete -o filenames -F _headlamp headlamp

    """
}

/// Text between single quotes of a shell.
func singleQuoted(_ text: String) -> String {
  "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}

private var zshCompletions: String {
  func described(_ text: String) -> String {
    text.replacing("[", with: "(").replacing("]", with: ")").replacing(":", with: ";")
  }
  let names = subcommands.map { "    " + singleQuoted("\($0.name):\(described($0.summary))") }
  let cases = subcommands.map { command in
    let options = longOptions(command).map { option in
      "      "
        + singleQuoted(
          "--\(option.name)[\(described(option.help))]"
            + (option.valueName.map { ":\(described($0)):_files" } ?? ""))
    }
    return """
          \(command.name))
            _arguments \\
        \((options + ["      '*:file:_files'"]).joined(separator: " \\\n"))
            ;;
      """
  }
  return """
    #compdef headlamp
    _headlamp() {
      local -a commands
      commands=(
    \(names.joined(separator: "\n"))
      )
      if (( CURRENT == 2 )); then
        _describe 'command' commands
        return
      fi
      local command=$words[2]
      shift words
      (( CURRENT-- ))
      case $command in
    \(cases.joined(separator: "\n"))
      esac
    }
    _headlamp "$@"

    """
}

private var fishCompletions: String {
  var lines = ["# fish completions of headlamp"]
  for command in subcommands {
    lines.append(
      "complete -c headlamp -n __fish_use_subcommand -f -a \(command.name) -d \(fishQuoted(command.summary))")
    for option in longOptions(command) {
      let value = option.valueName == nil ? "" : " -r"
      lines.append(
        "complete -c headlamp -n '__fish_seen_subcommand_from \(command.name)' -l \(option.name)\(value) "
          + "-d \(fishQuoted(option.help))")
    }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// Text between single quotes of fish, where a backslash stands before a quote.
private func fishQuoted(_ text: String) -> String {
  "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
}
