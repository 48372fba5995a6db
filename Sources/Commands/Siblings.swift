// Models that differ from the bundled one, each by the command that trains it: what a ranking must also be right on.

/// Models that rankings are judged on.
enum JudgingSuite: String, CaseIterable {
  /// Trained beside the bundled model.
  case siblings
  /// With circuits set by hand.
  case planted

  /// The folder its models are in by default.
  var folder: String { "suites/" + rawValue }

  /// - Throws: `UsageError` for a name that none has.
  init(named name: String) throws(UsageError) {
    guard let suite = JudgingSuite(rawValue: name) else {
      throw .invalid(
        "there is no suite '\(name)'; there are " + Self.allCases.map(\.rawValue).joined(separator: " and "))
    }
    self = suite
  }
}

/// Which models choices are made on, and which results are reported on.
enum SuiteHalf: String, CaseIterable, ArgumentValue {
  case fitting
  case reporting
  case both
}

/// One model of the suite.
struct Sibling {
  var name: String
  var half: SuiteHalf
  /// The options of `train-model`, after the tasks.
  var words: [String]

  init(_ name: String, _ half: SuiteHalf, _ options: String) {
    self.name = name
    self.half = half
    words =
      ["--d-model", "96", "--steps", "4000", "--pairs", "4000", "--evaluate-every", "500"]
      + options.split(separator: " ").map(String.init)
  }

  /// The tasks that all siblings are trained on.
  static let tasks = [
    "ioi", "greater-than", "induction", "docstring", "agreement", "pronoun", "capital", "bracket", "recall",
  ]

  /// The suite: depths 2 to 6, 4 to 12 heads, with and without MLPs and norms, learned and rotary positions, grouped
  /// heads, parallel blocks.
  static let all = [
    Sibling("learned-4x8", .fitting, "--layers 4 --heads 8 --seed 101"),
    Sibling(
      "rotary-gated-3x6", .fitting,
      "--layers 3 --heads 6 --rotary --gated --norm rms --kv-heads 3 --seed 102"),
    Sibling("attention-only-4x8", .fitting, "--layers 4 --heads 8 --attention-only --seed 103"),
    Sibling("parallel-6x4", .fitting, "--layers 6 --heads 4 --rotary --parallel --seed 104"),
    Sibling("bare-3x8", .fitting, "--layers 3 --heads 8 --norm none --seed 105"),
    Sibling("learned-5x6", .reporting, "--layers 5 --heads 6 --seed 201"),
    Sibling("learned-4x8-second", .reporting, "--layers 4 --heads 8 --seed 202"),
    Sibling(
      "rotary-gated-4x8", .reporting,
      "--layers 4 --heads 8 --rotary --gated --norm rms --kv-heads 2 --seed 203"),
    Sibling(
      "attention-only-2x12", .reporting, "--layers 2 --heads 12 --attention-only --rotary --seed 204"),
    Sibling("parallel-3x8", .reporting, "--layers 3 --heads 8 --parallel --seed 205"),
    Sibling("bare-4x6", .reporting, "--layers 4 --heads 6 --norm none --seed 206"),
  ]

  /// The models of a half.
  static func models(of half: SuiteHalf) -> [Sibling] {
    half == .both ? all : all.filter { $0.half == half }
  }
}
