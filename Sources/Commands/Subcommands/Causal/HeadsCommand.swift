// headlamp heads: what each head looks at, and what it writes to the answer.

import CausalMethods
import CircuitDiscovery
import Files
import Reports
import Tensors
import Tokenizers
import Transformers

/// Attention by kind, roles and direct logit attribution.
enum HeadsCommand: Subcommand {
  static let name = "heads"
  static let summary = "what each head attends to and what it writes to the answer directly"
  static let discussion = """
    For every head of a model on the positive prompts of a task: its direct logit attribution (what its output adds to the \
    difference between right and wrong answers by itself, through the final norm), and the shares of its attention on the \
    previous token, on earlier copies of the same token (duplicate), behind them (induction), on the first and on the same \
    token, with the role that takes at least half of it. Direct contributions of all heads, MLPs and the input, with the \
    biases, sum to the logit difference.

    Writes heads.csv, direct.csv (MLPs, input and biases too), direct.svg, and with --pattern L.H the attention of that head \
    on one prompt as SVG.
    """
  static let positionals = [PromptOptions.task]
  static let pattern = Option<String>("pattern", "L.H", help: "draw this head's attention on one prompt")
  static let prompt = Option<Int>(
    "prompt", "N", default: 0, help: "the positive prompt to draw, counted from 0")
  static let output = Option<String>("output", "DIR", help: "the folder to write to")
  static let options: [any OptionDeclaration] =
    PromptOptions.all + [
      pattern, prompt, output, ReportCommand.none, ReportCommand.figures,
    ]
  static let examples = [
    Example("headlamp heads ioi", "roles and direct contributions of the bundled model's heads"),
    Example(
      "headlamp heads ioi --pattern 3.6 --output looked", "where head 6 of layer 3 looks in the first prompt"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    try ReportCommand.requireFolder(arguments, output)
    let loaded = try PromptOptions.load(arguments)
    for note in loaded.notes { console.note(note) }
    let task = try loaded.prompts.causalTask(metric: .logitDifference, needsPairs: false)
    let graph = CircuitGraph(loaded.model.configuration)
    let drawn = try drawnHead(arguments, graph, prompts: task.clean.count)
    guard drawn == nil || arguments[output] != nil else {
      throw UsageError.invalid("--pattern draws into a folder: name one with --output")
    }
    if let folder = arguments[output] { try claimFolder(folder) }
    let direct: DirectLogitAttribution?
    do {
      direct = try DirectLogitAttribution(loaded.model, task) { done, total in
        console.progress("direct contributions", done, of: total, "prompts")
      }
    } catch let error as CausalError where loaded.model.configuration.residual == .normalized {
      // Attention has its kinds all the same.
      console.note(error.sentence)
      direct = nil
    }
    let kinds = try AttentionKinds.measure(loaded.model, task.clean) { done, total in
      console.progress("attention", done, of: total, "prompts")
    }
    console.endProgress()
    let means = (0..<graph.sourceCount).map { source in
      direct.map { average($0.contributions.map { $0[source] }) } ?? .nan
    }
    report(direct, kinds, means, graph, console)
    if let folder = arguments[output] {
      try headsTable(kinds, means, graph).write(to: folder + "/heads.csv")
      if let direct {
        try directTable(direct, means, graph).write(to: folder + "/direct.csv")
        try writeFile(
          NodeTable.heatMap(means, graph, title: "direct logit attribution, \(loaded.prompts.task)").svg,
          to: folder + "/direct.svg")
      }
      if let drawn {
        let index = arguments[prompt] ?? 0
        try writeFile(
          try patternPicture(drawn, task.clean[index], loaded),
          to: folder + "/pattern-\(drawn.layer).\(drawn.head).svg")
      }
      try ReportCommand.write(arguments, folder: folder, console: console)
      console.print("wrote \(folder)")
    }
  }

  private static func drawnHead(
    _ arguments: ParsedArguments, _ graph: CircuitGraph, prompts: Int
  ) throws(UsageError) -> HeadIndex? {
    guard let text = arguments[pattern] else {
      if arguments.isGiven(prompt) {
        throw .invalid("--prompt chooses what --pattern draws, and there is no --pattern")
      }
      return nil
    }
    let parts = text.split(separator: ".").compactMap { Int($0) }
    guard parts.count == 2, graph.sourceIndex(of: .head(layer: parts[0], head: parts[1])) != nil else {
      throw .invalid("the model has no head '\(text)'; it has \(graph), named LAYER.HEAD from 0.0")
    }
    let index = arguments[prompt] ?? 0
    guard (0..<prompts).contains(index) else {
      throw .invalid("--prompt \(index) is not one of the \(prompts) positive prompts, counted from 0")
    }
    return HeadIndex(layer: parts[0], head: parts[1])
  }

  private static func report(
    _ direct: DirectLogitAttribution?, _ kinds: [[AttentionKinds]], _ means: [Double], _ graph: CircuitGraph,
    _ console: Console
  ) {
    let heads = (0..<graph.layers).flatMap { layer in
      (0..<graph.heads).map { HeadIndex(layer: layer, head: $0) }
    }
    func contribution(_ head: HeadIndex) -> Double {
      graph.sourceIndex(of: .head(layer: head.layer, head: head.head)).map { means[$0] } ?? 0
    }
    let others = means.indices.filter { if case .head = graph.source($0) { false } else { true } }
    if let direct {
      console.print(
        "\(direct.logitDifference.count) prompts, mean logit difference "
          + "\(average(direct.logitDifference).text(significant: 4)): heads "
          + "\(heads.reduce(0) { $0 + contribution($1) }.text(significant: 3)), MLPs and input "
          + "\(others.reduce(0) { $0 + means[$1] }.text(significant: 3)), biases \(average(direct.constant).text(significant: 3))"
      )
    }
    console.print("head    direct  previous  duplicate  induction  first  entropy  role")
    let shown = direct == nil ? heads : heads.sorted { abs(contribution($0)) > abs(contribution($1)) }
    for head in shown.prefix(16) {
      let kind = kinds[head.layer][head.head]
      func share(_ value: Double, _ width: Int) -> String {
        (value.isNaN ? "-" : value.text(decimals: 2)).leftPadded(to: width)
      }
      console.print(
        "\(head.layer).\(head.head)".padded(to: 6)
          + (direct == nil ? "-" : contribution(head).text(decimals: 3)).leftPadded(to: 8)
          + share(kind.previousToken, 10) + share(kind.duplicateToken, 11) + share(kind.induction, 11)
          + share(kind.firstToken, 7) + share(kind.entropy, 9) + "  " + (kind.role ?? ""))
    }
  }

  private static func headsTable(
    _ kinds: [[AttentionKinds]], _ means: [Double], _ graph: CircuitGraph
  ) -> CSVDocument {
    var document = CSVDocument(
      header: [
        "layer", "head", "direct", "previous_token", "duplicate_token", "induction", "first_token",
        "current_token", "entropy", "role",
      ])
    for layer in 0..<graph.layers {
      for head in 0..<graph.heads {
        let kind = kinds[layer][head]
        let source = graph.sourceIndex(of: .head(layer: layer, head: head)) ?? 0
        document.append([
          .integer(layer), .integer(head), .number(means[source]), .number(kind.previousToken),
          .number(kind.duplicateToken), .number(kind.induction), .number(kind.firstToken),
          .number(kind.currentToken), .number(kind.entropy), kind.role.map { .text($0) } ?? .empty,
        ])
      }
    }
    return document
  }

  private static func directTable(
    _ direct: DirectLogitAttribution, _ means: [Double], _ graph: CircuitGraph
  ) -> CSVDocument {
    var document = CSVDocument(header: ["node", "direct"])
    for (source, mean) in means.enumerated() {
      document.append([.text(graph.source(source).description), .number(mean)])
    }
    document.append([.text("biases"), .number(average(direct.constant))])
    document.append([.text("logit_difference"), .number(average(direct.logitDifference))])
    return document
  }

  /// Queries down, keys across, with the prompt's tokens.
  private static func patternPicture(
    _ head: HeadIndex, _ tokens: [Int], _ loaded: PromptOptions.Loaded
  ) throws -> String {
    let point = HookPoint.pattern(layer: head.layer)
    let pattern = try loaded.model.run(TokenBatch([tokens]), reading: [point])[point]
    let names = tokenNames(tokens, loaded)
    let rule = loaded.model.configuration.attention[head.layer].rule
    return HeatMap(
      title: "attention of head \(head.layer).\(head.head)", rowTitle: "from", columnTitle: "to", rows: names,
      columns: names,
      values: tokens.indices.map { query in
        let visible = rule.visible(from: query, length: tokens.count)
        return tokens.indices.map { key in
          visible.contains(key) ? Double(pattern[0, head.head, query, key]) : nil
        }
      }
    ).svg
  }

  private static func tokenNames(_ tokens: [Int], _ loaded: PromptOptions.Loaded) -> [String] {
    let tokenizer = try? Tokenizer(contentsOf: loaded.folder)
    return tokens.map { token in
      tokenizer?.decode([token], skippingSpecialTokens: false).trimmed ?? "\(token)"
    }
  }
}

extension String {
  fileprivate var trimmed: String { String(drop { $0 == " " }) }
}
