// headlamp slurm: a script for Slurm that does a command in parts and merges them.

import Files
import FoundationEssentials

/// Writes and submits an array job.
enum SlurmCommand: Subcommand {
  static let name = "slurm"
  static let summary = "write a Slurm script that does a command in parts and merges them"
  static let discussion = """
    Takes a command that works in parts (record, attribute, patch, ablate, compare, importance, explain --all) with its
    options, and writes a script: an array job of N tasks, a part each, and a job behind it that merges them to the
    command's --output. 'sh SCRIPT', or --submit, submits both.

    A task that is preempted or killed is queued again, at most three times after a kill. Parts that are finished are kept
    in OUT.parts, so that submitting again does what is missing: a recording goes on within a part, other commands do a
    part again. All nodes must see the folder where the script was written under the same name.
    """
  static let positionals = [
    Positional("COMMAND", help: "the command that is done in parts"),
    Positional("ARGUMENT", .repeated, help: "what it takes, with its options"),
  ]
  static let nodes = Option<Int>("nodes", "N", help: "how many parts, each a task of the array")
  static let script = Option<String>("script", "FILE", help: "the script to write (default: OUT.slurm.sh)")
  static let directives = Option<String>(
    "sbatch", "\"OPTIONS\"",
    help: "options of sbatch for all jobs, such as \"--partition=cpu --time=2:00:00\"")
  static let submit = Flag("submit", help: "also submit it")
  static let options: [any OptionDeclaration] = [nodes, script, directives, submit]
  static let examples = [
    Example("headlamp slurm record ioi --output ioi.h5 --nodes 16", "writes ioi.h5.slurm.sh"),
    Example(
      "headlamp slurm attribute ioi --output paths --nodes 4 --sbatch '--cpus-per-task=8' --submit",
      "four parts of eight cores each"),
  ]

  /// Its own options and those of the command that is done in parts.
  static func syntax(for words: [String]) throws(UsageError) -> Syntax {
    guard !words.contains("--help"), !words.contains("-h") else { return syntax }
    let command = try PartedCommand.command(of: words)
    let own = Set(options.map(\.name))
    return Syntax(
      command: name, positionals: positionals,
      options: options + command.syntax.options.filter { !own.contains($0.name) })
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let command = try PartedCommand.command(of: arguments.positionals)
    let parted = try PartedCommand(
      command, arguments, count: try arguments.required(nodes), leavingOut: Set(options.map(\.name)))
    let path = arguments[script] ?? parted.output + ".slurm.sh"
    let text = SlurmScript(
      command: parted, program: Self.program, folder: FileManager.default.currentDirectoryPath,
      directives: try directiveWords(arguments)
    ).text
    try writeFile(text, to: path)
    console.print("wrote \(path): \(parted.count) parts of '\(command.name)', then the merge")
    guard arguments[submit] else {
      console.print("submit it with: sh \(shellQuoted(path))")
      return
    }
    let result = try runProgram(.words(["/bin/sh", path]), input: [], timeout: 120)
    guard case .exited(0) = result.ending else {
      throw SubmissionFailure(path: path, reason: result.lastErrorLine)
    }
    for line in String(decoding: result.output, as: UTF8.self).split(separator: "\n") {
      console.print(String(line))
    }
  }

  /// The words of `--sbatch`.
  private static func directiveWords(_ arguments: ParsedArguments) throws(UsageError) -> [String] {
    guard let text = arguments[directives] else { return [] }
    guard let words = try? commandWords(text), words.allSatisfy({ $0.hasPrefix("-") }) else {
      throw .badValue(
        option: directives.name, value: text,
        expectation: "options of sbatch such as \"--partition=cpu --time=2:00:00\"")
    }
    return words
  }

  /// The program that runs now, by its full path.
  private static var program: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "headlamp"
  }
}

/// Slurm did not take the jobs.
struct SubmissionFailure: ExplainedError {
  var path: String
  var reason: String

  var sentence: String {
    "\(path) was written and not submitted: \(reason.isEmpty ? "sbatch failed without a word" : reason)"
  }
}

/// The text of a script that submits itself.
struct SlurmScript {
  var command: PartedCommand
  /// The full path of headlamp.
  var program: String
  /// The folder where the command line holds.
  var folder: String
  var directives: [String]

  /// How often a task that was killed is queued again.
  private static let repeats = 3

  var text: String {
    let part = "${SLURM_ARRAY_TASK_ID}"
    // The number is the only thing that the shell puts in; everything else stands in quotes.
    func line(_ words: [String]) -> String {
      words.map { word in
        word.split(separator: part, omittingEmptySubsequences: false)
          .map { $0.isEmpty ? "" : shellQuoted(String($0)) }
          .joined(separator: "\"\(part)\"")
      }.joined(separator: " ")
    }
    let threads = "--threads=\"${SLURM_CPUS_PER_TASK:-1}\""
    let hasThreads = command.words(part: part).contains { $0.hasPrefix("--threads=") }
    let options = (["--parsable", "--job-name=headlamp-\(command.command.name)"] + directives)
      .map(shellQuoted).joined(separator: " ")
    let merge = command.mergeWords
    return """
      #!/bin/sh
      # 'headlamp \(command.command.name)' in \(command.count) parts, then their merge. 'sh THIS' submits both, and again what is missing.
      set -eu
      cd \(shellQuoted(folder))
      headlamp=\(shellQuoted(program))
      parts=\(shellQuoted(command.folder))
      case "${1:-submit}" in
      submit)
        mkdir -p "$parts"
        array=$(sbatch \(options) --array=1-\(command.count) --requeue --open-mode=append \\
          --output="$parts"/log-%a.txt "$0" part)
        merge=$(sbatch \(options) --requeue --open-mode=append --dependency=afterok:"$array" \\
          --kill-on-invalid-dep=yes --output="$parts"/log-merge.txt "$0" merge)
        echo "parts: job $array; merge: job $merge"
        ;;
      part)
        code=0
        "$headlamp" \(line(command.words(part: part)).replacing("--shard", with: (hasThreads ? "" : threads + " ") + "--shard", maxReplacements: 1)) || code=$?
        # Ended by a signal: queued again, as after preemption.
        if [ "$code" -gt 128 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt \(Self.repeats) ]; then
          scontrol requeue "$SLURM_JOB_ID" && sleep 60
        fi
        exit "$code"
        ;;
      merge)
        exec "$headlamp" \(line(merge))
        ;;
      *)
        echo "$0 takes submit, part or merge" >&2
        exit 2
        ;;
      esac

      """
  }
}

/// A word between single quotes of a shell, where it needs them.
func shellQuoted(_ word: String) -> String {
  let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.,:+@%"
  return !word.isEmpty && word.allSatisfy { plain.contains($0) } ? word : singleQuoted(word)
}
