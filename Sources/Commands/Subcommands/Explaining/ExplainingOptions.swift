// The options that explain, fit, importance and rules share, and how their words become values.

import TabularExplainer
import Tables

/// Options of the subcommands that explain a black box on a table.
enum ExplainingOptions {
  static let target = Option<String>(
    "target", "COLUMN", help: "what is predicted; the last column unless given")
  static let task = Option<TaskWord>(
    "task", "TASK", help: "classification or regression; detected unless given")
  static let categorical = Option<String>(
    "categorical", "A,B", help: "columns that are categories although they look like numbers")
  static let keep = Option<String>(
    "keep", "A,B", help: "columns to keep as features although they look like identifiers or row numbers")
  static let asDeclared = Flag(
    "as-declared",
    help: "--keep and --categorical may name columns that need neither, as where a program declares them all")
  static let separator = Option<SeparatorWord>(
    "separator", "MARK",
    help: "what stands between cells: ',', ';', '|', tab, blanks, or any one mark; detected unless given")
  static let exclude = Option<String>("exclude", "A,B", help: "columns to leave out")
  static let missing = Option<String>("missing", "TEXT,TEXT", help: "further texts that mean a missing cell")
  static let header = Option<HeaderWord>(
    "header", "FORM", default: .automatic,
    help: "what the first row is: names, none (columns are called column1, column2, …) or auto")
  static let group = Option<String>(
    "group", "COLUMN", help: "rows with the same value stay on one side of the split; not used as a feature")
  static let hold = Option<Double>(
    "hold", "SHARE", default: 0.25, help: "the share of rows held out for measuring; of a quantised table 0.2"
  )
  static let blackBox = Option<String>(
    "black-box", "KIND", default: "auto",
    help:
      "forest, extra-trees, boosted, mlp, cae-san, a model file (of 'headlamp fit', XGBoost, LightGBM, CatBoost or ONNX), "
      + "or auto: boosted where rows are many, else extra-trees")
  static let blackBoxCommand = Option<String>(
    "black-box-command", "\"PROGRAM …\"",
    help: "a program as black box: rows as CSV on its standard input, probabilities as CSV back")
  static let shell = Flag("shell", help: "let /bin/sh read the line of --black-box-command")
  static let timeout = Option<Double>(
    "timeout", "SECONDS", default: 60, help: "how long that program may take for 10,000 rows")
  static let predictions = Option<String>(
    "predictions", "COLUMN,…", help: "columns of the table that hold a black box's predictions already")
  static let classes = Option<String>(
    "classes", "A,B,…",
    help: "the classes in the order of a given model's outputs, where it does not name them")
  static let rounds = Option<RoundsWord>(
    "rounds", "best|all|N",
    help: "how many rounds of an XGBoost model count; as many as the library uses unless given")
  static let top = Option<TopChoice>("top", "auto|K", default: .automatic, help: "how many features to keep")
  static let surrogate = Option<SurrogateWord>(
    "surrogate", "FORM", default: .automatic, help: "auto, tree, rule-list, rule-sets or tree-sum")
  static let leaves = Option<Int>(
    "leaves", "N",
    help: "leaves of a tree, rules of a list, trees of a sum; the fidelity curve decides unless given")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "what every random choice depends on")
  static let output = Option<String>("output", "DIR", help: "the folder that files are written to")

  static let table: [any OptionDeclaration] = [
    target, task, header, separator, categorical, exclude, keep, asDeclared, missing, group, hold,
  ]
  static let model: [any OptionDeclaration] = [
    blackBox, blackBoxCommand, shell, timeout, predictions, classes, rounds,
  ]
  static let standIn: [any OptionDeclaration] = [top, surrogate, leaves]
  static let common: [any OptionDeclaration] = [seed, output]
}

/// `--task`.
enum TaskWord: String, CaseIterable, ArgumentValue {
  case classification, regression
}

/// `--header`.
enum HeaderWord: String, CaseIterable, ArgumentValue {
  case names
  case noNames = "none"
  case automatic = "auto"
}

/// `--rounds`.
enum RoundsWord: ArgumentValue, Equatable {
  case best
  case all
  case first(Int)

  init?(argument: String) {
    switch argument {
    case "best": self = .best
    case "all": self = .all
    default:
      guard let count = Int(argument), count > 0 else { return nil }
      self = .first(count)
    }
  }

  static var expectation: String { "'best', 'all' or a whole number from 1" }
  var argumentText: String {
    switch self {
    case .best: "best"
    case .all: "all"
    case .first(let count): "\(count)"
    }
  }

  var choice: ModelContext.Rounds {
    switch self {
    case .best: .best
    case .all: .all
    case .first(let count): .first(count)
    }
  }
}

/// `--separator`.
struct SeparatorWord: ArgumentValue, Equatable {
  var byte: UInt8

  init?(argument: String) {
    switch argument.lowercased() {
    case "tab", "\\t", "\t": byte = 0x09
    case "blanks", "blank", "space", " ": byte = 0x20
    case "comma": byte = 0x2c
    case "semicolon": byte = 0x3b
    default:
      let bytes = Array(argument.utf8)
      guard bytes.count == 1, bytes[0] > 0x20, bytes[0] < 0x7f, bytes[0] != 0x22, bytes[0] &- 48 > 9,
        (bytes[0] | 0x20) &- 97 >= 26
      else { return nil }
      byte = bytes[0]
    }
  }

  static var expectation: String { "one mark such as ';' or '|', or the word tab or blanks" }
  var argumentText: String { String(Character(Unicode.Scalar(byte))) }
}

/// `--surrogate`.
enum SurrogateWord: String, CaseIterable, ArgumentValue {
  case automatic = "auto"
  case tree
  case ruleList = "rule-list"
  case ruleSets = "rule-sets"
  case treeSum = "tree-sum"

  var kind: SurrogateKind? {
    switch self {
    case .automatic: nil
    case .tree: .tree
    case .ruleList: .ruleList
    case .ruleSets: .ruleSets
    case .treeSum: .treeSum
    }
  }
}

/// `--top`.
enum TopChoice: ArgumentValue, Equatable {
  case automatic
  case count(Int)

  init?(argument: String) {
    if argument == "auto" {
      self = .automatic
    } else if let count = Int(argument), count > 0 {
      self = .count(count)
    } else {
      return nil
    }
  }

  static var expectation: String { "'auto' or a whole number from 1" }
  var argumentText: String {
    switch self {
    case .automatic: "auto"
    case .count(let count): "\(count)"
    }
  }
}

extension ParsedArguments {
  /// The words of an option that takes several, separated by commas; a word that holds a comma stands in quotes, and quotes
  /// in such a word are doubled, as in CSV.
  func list(_ option: Option<String>) -> [String] { listedWords(self[option] ?? "") }

  /// Whether a model file or a program is the black box.
  var hasGivenModel: Bool {
    isGiven(ExplainingOptions.blackBoxCommand)
      || isGiven(ExplainingOptions.blackBox)
        && (self[ExplainingOptions.blackBox] ?? "").contains { $0 == "." || $0 == "/" }
  }
}

/// The words of a list with commas; blanks around a word are not part of it.
func listedWords(_ text: String) -> [String] {
  var words: [String] = []
  var rest = Substring(text).drop { $0 == " " }
  while !rest.isEmpty {
    var word = ""
    if rest.first == "\"" {
      rest.removeFirst()
      while let character = rest.popFirst() {
        guard character == "\"" else {
          word.append(character)
          continue
        }
        guard rest.first == "\"" else { break }
        word.append("\"")
        rest.removeFirst()
      }
    }
    word += rest.prefix { $0 != "," }
    words.append(String(word.reversed().drop { $0 == " " }.reversed()))
    rest = rest.drop { $0 != "," }.dropFirst().drop { $0 == " " }
  }
  return words.filter { !$0.isEmpty }
}
