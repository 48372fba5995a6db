// What a model says after one prompt, without and with codes forced.

import CircuitDiscovery
import Files
import Reports
import Tensors
import Tokenizers
import Transformers

/// What headlamp steer --prompt --code does.
enum PromptSteering {
  /// Shows the most likely next tokens without and with the codes.
  static func steer(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    let tokens = try tokens(arguments, folder, model)
    let codes = try arguments.required(SteerCommand.code).split(separator: ",").map {
      try CodebookModel.code(String($0), of: model)
    }
    if let twice = codes.first(where: { code in codes.count { $0.book == code.book } > 1 }) {
      throw UsageError.invalid(
        "--code names codebook \(twice.book) twice; one code of a codebook can be forced")
    }
    let places = try places(arguments, tokens.count)
    let edits = ForcedCodes(codes).edits(at: places)
    let batch = TokenBatch([tokens])
    let before = logSoftmax(try model.nextTokenLogits(batch).row(0)).map(exponential)
    let after = logSoftmax(try model.nextTokenLogits(batch, applying: edits).row(0)).map(exponential)
    try show(before, after, TokenWords(modelFolder: folder), arguments, console)
  }

  private static func show(
    _ before: [Double], _ after: [Double], _ words: TokenWords, _ arguments: ParsedArguments,
    _ console: Console
  ) throws {
    let count = try arguments.required(SteerCommand.top)
    let ordered = { (values: [Double]) in
      values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(count)
    }
    var document = CSVDocument(header: ["token", "text", "before", "after"])
    let shown = ordered(after) + ordered(before).filter { !ordered(after).contains($0) }
    let width = max(4, shown.map { words[$0].count }.max() ?? 0)
    console.print("next".padded(to: width) + "   before    after")
    for token in shown {
      document.append([
        .integer(token), .text(words[token]), .number(before[token]), .number(after[token]),
      ])
      console.print(
        words[token].padded(to: width) + before[token].text(decimals: 4).leftPadded(to: 9)
          + after[token].text(decimals: 4).leftPadded(to: 9))
    }
    let divergence = zip(before, after).reduce(0.0) { sum, pair in
      pair.0 > 0 ? sum + pair.0 * (logarithm(pair.0) - logarithm(max(pair.1, 1e-300))) : sum
    }
    console.print("KL divergence \(divergence.text(decimals: 4)) nats")
    console.result(
      .object([
        JSONMember("kl_divergence", .number(divergence)),
        JSONMember(
          "next",
          .array(
            shown.map { token in
              .object([
                JSONMember("token", .integer(token)), JSONMember("text", .string(words[token])),
                JSONMember("before", .number(before[token])), JSONMember("after", .number(after[token])),
              ])
            })),
      ]))
    try SteerCommand.write(document, arguments, console)
  }

  /// The tokens of --prompt.
  static func tokens(
    _ arguments: ParsedArguments, _ folder: String, _ model: Transformer
  ) throws -> [Int] {
    let tokens = try Tokenizer(contentsOf: folder).encodeWithBeginning(
      try arguments.required(SteerCommand.prompt)
    ).ids
    guard !tokens.isEmpty else { throw UsageError.invalid("--prompt has no tokens") }
    guard tokens.count <= model.configuration.context else {
      throw UsageError.invalid(
        "--prompt has \(tokens.count) tokens, and the model reads \(model.configuration.context)")
    }
    return tokens
  }

  /// Where codes are forced in a prompt; nil for everywhere.
  private static func places(_ arguments: ParsedArguments, _ count: Int) throws -> [Int]? {
    let text = try arguments.required(SteerCommand.at)
    switch text {
    case "last": return [count - 1]
    case "all": return nil
    default:
      guard let place = Int(text), (0..<count).contains(place) else {
        throw UsageError.invalid("--at is last, all or a token's place from 0 to \(count - 1), not '\(text)'")
      }
      return [place]
    }
  }
}
