// headlamp completions: what a shell needs to complete commands and options.

/// Prints completions for a shell.
enum CompletionsCommand: Subcommand {
  static let name = "completions"
  static let summary = "print completions for bash, zsh or fish, or the manual page"
  static let discussion = """
    Prints the script that teaches a shell every command and option; 'man' prints the manual page. 'make install' puts
    all of them where shells and man look.
    """
  static let positionals = [Positional("SHELL", help: "bash, zsh, fish or man")]
  static let options: [any OptionDeclaration] = []
  static let examples = [
    Example("headlamp completions bash", "what 'source <(…)' or bash's folder of completions wants"),
    Example("headlamp completions fish", "for ~/.config/fish/completions/headlamp.fish"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let name = arguments.positionals[0]
    if name == "man" {
      console.print(String(manualPage.dropLast()))
    } else if let shell = Shell(rawValue: name) {
      console.print(String(shell.completions.dropLast()))
    } else {
      throw UsageError.invalid(
        "there are completions for \(Shell.allCases.map(\.rawValue).joined(separator: ", ")), and man; not for '\(name)'"
      )
    }
  }
}
