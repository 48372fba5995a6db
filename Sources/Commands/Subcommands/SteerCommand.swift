// headlamp steer: what a model says when codes of its codebooks are forced on.

import CircuitDiscovery
import Files
import Reports
import Tokenizers
import Tensors
import Transformers

/// Forces codes and shows what the model says next.
enum SteerCommand: Subcommand {
  static let name = "steer"
  static let summary = "force codes of a codebook model on, and show what it says next"
  static let discussion = """
    With --prompt and --code the named codes are made the only active ones of their codebooks, at the last token or \
    where --at says, and the most likely next tokens are shown without and with them.

    With --task (a state machine) every state is set at the end of walks that end in others, by forcing its codes at the \
    last token: the one code that tells it best, as 'headlamp codes' finds it on other walks, and the codes of each MLP, \
    of all MLPs, of all heads and of all, as they are active after the state's name alone. A walk counts as steered \
    where the next digit's distribution is nearer to that behind the state that was set than to that behind the state \
    the walk ends in, by Jensen–Shannon divergence; 'nearest of all' asks for nearer than to any other state's. The mean \
    divergence from the state that was set is what Tamkin et al. 2023 report.

    With --every-code each code of the model is forced alone at the last token, and the change of the next token's \
    distribution is measured, over the prompt or over walks.
    """
  static let positionals = [
    Positional("MODEL", help: "a folder of a model with codebooks (see train-model --codebook)")
  ]
  static let prompt = Option<String>("prompt", "TEXT", help: "what the model reads")
  static let code = Option<String>("code", "L.H:N,…", help: "codes to force, such as 2.mlp:41,1.3:7")
  static let at = Option<String>("at", "PLACE", default: "last", help: "last, all, or a token's place from 0")
  static let task = Option<String>("task", "TASK", help: "a state machine, by name or path")
  static let walks = Option<Int>("walks", "N", default: 20, help: "walks that are steered, for each state")
  static let length = Option<Int>(
    "length", "N",
    help: "states of each walk; 1 reads other states alone, as the paper does (default 10, where they fit)")
  static let seed = Option<UInt64>("seed", "N", default: 1, help: "seed of the walks")
  static let everyCode = Flag("every-code", help: "measure the effect of every code on the next token")
  static let top = Option<Int>("top", "K", default: 5, help: "tokens shown")
  static let output = Option<String>("output", "FILE", help: "write the table as CSV")
  static let options: [any OptionDeclaration] = [
    prompt, code, at, task, walks, length, seed, everyCode, top, output,
  ]
  static let examples = [
    Example("headlamp steer small-codebook --task tokfsm", "how many states one code can set"),
    Example(
      "headlamp steer small-codebook --prompt '4 2 1 7' --code 2.mlp:41", "the next digit with a code forced"),
    Example(
      "headlamp steer small-codebook --task tokfsm --every-code --output effects.csv",
      "what each code does to the next token"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    try check(arguments)
    let model = try CodebookModel.load(folder)
    if arguments[everyCode] {
      try CodeEffectTable.measure(model, folder, arguments, console)
    } else if arguments[task] != nil {
      try StateSteeringTable.steer(model, folder, arguments, console)
    } else {
      try PromptSteering.steer(model, folder, arguments, console)
    }
  }

  private static func check(_ arguments: ParsedArguments) throws {
    guard (arguments[prompt] == nil) != (arguments[task] == nil) else {
      throw UsageError.invalid("either --prompt TEXT or --task TASK is needed: what the model is to read")
    }
    if arguments[prompt] != nil, arguments[code] == nil, !arguments[everyCode] {
      throw UsageError.invalid("--prompt needs --code, or --every-code")
    }
    if arguments[code] != nil, arguments[task] != nil || arguments[everyCode] {
      throw UsageError.invalid(
        "--code goes with --prompt alone: --task and --every-code choose codes themselves")
    }
    if arguments.isGiven(at) || arguments.isGiven(top), arguments[code] == nil {
      throw UsageError.invalid("--at and --top go with --code")
    }
    if arguments.isGiven(walks) || arguments.isGiven(seed), arguments[task] == nil {
      throw UsageError.invalid("--walks and --seed go with --task")
    }
    if let length = arguments[length] {
      guard arguments[task] != nil, !arguments[everyCode] else {
        throw UsageError.invalid("--length goes with --task, where states are set")
      }
      guard length > 0 else { throw UsageError.invalid("--length must be above 0, not \(length)") }
      if length == 1, arguments.isGiven(walks) || arguments.isGiven(seed) {
        throw UsageError.invalid("--length 1 reads every other state once: leave out --walks and --seed")
      }
    }
    for option in [walks, top] where try arguments.required(option) < 1 {
      throw UsageError.invalid("--\(option.name) must be above 0")
    }
  }

  /// Writes a table where --output asks for it.
  static func write(
    _ document: CSVDocument, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    guard let path = arguments[output] else { return }
    try document.write(to: path)
    console.print("wrote \(path)")
  }
}
