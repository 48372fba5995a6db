// headlamp tokenize: how a model's tokenizer reads a text.

import CircuitDiscovery
import Files
import Tokenizers

/// Shows the tokens of a text.
enum TokenizeCommand: Subcommand {
  static let name = "tokenize"
  static let summary = "show the tokens of a text: ids, pieces and places"
  static let discussion = """
    Reads a tokenizer.json and shows each token of the text on a line: its number, its place in the text (in Unicode \
    characters, the end not included), and its piece as the vocabulary spells it. With --bos auto the \
    beginning-of-sequence token stands first where the vocabulary has one, as for prompts; no other special token is \
    added. \
    With --json a text is one line {"ids": …, "pieces": …, "offsets": …}, and standard input is read line by line.
    """
  static let positionals = [Positional("TEXT", help: "the text; - reads standard input")]
  static let model = Option<String>("model", "DIR", help: "a model's folder, or a tokenizer.json")
  static let bos = Option<BeginningOfSequence>(
    "bos", "on|off|auto", default: .auto, help: "whether the beginning-of-sequence token stands first")
  static let json = Flag("json", help: "JSON lines instead of a table")
  static let options: [any OptionDeclaration] = [model, bos, json]
  static let examples = [
    Example("headlamp tokenize 'When Mary and John went' --model gpt2", "five tokens and where they stand"),
    Example("headlamp tokenize - --model gpt2 --json < prompts.txt", "one line of JSON for each line"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let tokenizer = try Tokenizer(contentsOf: arguments.required(model))
    let beginning = arguments[bos] ?? .auto
    if beginning == .on, tokenizer.beginningOfText == nil {
      throw UsageError.invalid("--bos on: this vocabulary has no beginning-of-sequence token")
    }
    let word = arguments.positionals[0]
    let text = word == "-" ? try readStandardInput() : word
    let encode = { (text: String) in
      beginning == .off
        ? tokenizer.encode(text, addingSpecialTokens: false) : tokenizer.encodeWithBeginning(text)
    }
    guard arguments[json] else {
      for line in table(encode(text)) { console.print(line) }
      return
    }
    for line in word == "-" ? lines(of: text) : [text] {
      console.print(description(encode(line)).line)
    }
  }

  /// The lines of a text, the last one only if it is not empty.
  private static func lines(of text: String) -> [String] {
    var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func table(_ encoding: Encoding) -> [String] {
    let rows =
      [["id", "from", "to", "piece"]]
      + encoding.ids.indices.map { index in
        let range = encoding.offsets[index]
        return [
          String(encoding.ids[index]), String(range.lowerBound), String(range.upperBound),
          encoding.tokens[index],
        ]
      }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let numbers = zip(row, widths).map { String(repeating: " ", count: $1 - $0.count) + $0 }
      return numbers.joined(separator: "  ") + "  " + visible(row[3])
    }
  }

  /// A piece on one line: control characters as JSON writes them.
  private static func visible(_ piece: String) -> String {
    piece.unicodeScalars.contains { $0.value < 32 } ? JSONValue.string(piece).line : piece
  }

  private static func description(_ encoding: Encoding) -> JSONValue {
    .object([
      JSONMember("ids", .array(encoding.ids.map { .integer($0) })),
      JSONMember("pieces", .array(encoding.tokens.map { .string($0) })),
      JSONMember(
        "offsets",
        .array(encoding.offsets.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) })),
    ])
  }
}
