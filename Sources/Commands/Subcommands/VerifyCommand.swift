// headlamp verify: whether a model was loaded right.

import Files
import Transformers

/// Compares a model's activations with those that another implementation stored.
enum VerifyCommand: Subcommand {
  static let name = "verify"
  static let summary = "compare a model's activations with stored ones"
  static let discussion = """
    Runs a model folder on the token ids of a safetensors file ('input_ids' and, where prompts are padded on the
    right, 'attention_mask') and prints the largest difference at each stored activation, at real tokens only.
    Activations are named as TransformerLens names them (blocks.0.attn.hook_z), in short (blocks.0.z, final_norm),
    or numbered (attn_pattern.0, head_out.0, mlp_out.0, resid_post.0); logits may be among them. Exits with 1 where
    a difference is beyond the tolerance.
    """
  static let positionals = [
    Positional("MODEL", help: "a folder with config.json and model.safetensors")
  ]
  static let against = Option<String>(
    "against", "FILE", help: "a safetensors file with token ids and activations")
  static let tolerance = Option<Double>(
    "tolerance", "ERROR", default: 1e-4, help: "the largest difference that is accepted")
  static let options: [any OptionDeclaration] = [against, tolerance]
  static let examples = [
    Example(
      "headlamp verify models/gpt2 --against activations.safetensors",
      "one line for each stored activation, and whether all are within 0.0001")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    let path = try arguments.required(against)
    let limit = try arguments.required(tolerance)
    guard limit >= 0 else {
      throw UsageError.badValue(option: tolerance.name, value: "\(limit)", expectation: "a number from 0")
    }
    let model = try Transformer(folder: folder)
    let reference = try ReferenceActivations(path: path, layers: model.configuration.layers)
    let rows = try model.verify(against: reference)
    console.result(
      .object([
        JSONMember("tolerance", .number(limit)),
        JSONMember(
          "activations",
          .array(
            rows.map { row in
              .object([
                JSONMember("name", .string(row.name)),
                JSONMember("largest_error", .number(Double(row.largestError))),
                JSONMember("largest_value", .number(Double(row.largestValue))),
              ])
            })),
      ]))
    let width = (rows.map(\.name.count).max() ?? 0) + 2
    console.print("activation".padded(to: width) + "largest error  largest value")
    for row in rows {
      let isWithin = Double(row.largestError) <= limit
      console.print(
        row.name.padded(to: width)
          + Double(row.largestError).text(significant: 3).leftPadded(to: 13) + "  "
          + Double(row.largestValue).text(significant: 4).leftPadded(to: 13)
          + (isWithin ? "" : "  beyond"))
    }
    for name in reference.unrecognised { console.note("not compared: \(name)") }
    let largest = rows.map { Double($0.largestError) }.max() ?? 0
    let tokens = reference.batch.lengths.reduce(0, +)
    let work = "\(rows.count) activations of \(reference.batch.count) prompts, \(tokens) tokens"
    guard largest <= limit else {
      throw VerificationFailure(folder: folder, largest: largest, tolerance: limit)
    }
    console.print("all within \(limit.text(significant: 3)): \(work)")
  }
}

/// A model whose activations differ from the reference.
struct VerificationFailure: ExplainedError {
  var folder: String
  var largest: Double
  var tolerance: Double

  var sentence: String {
    "\(folder) differs from the reference by up to \(largest.text(significant: 3)), "
      + "beyond \(tolerance.text(significant: 3))"
  }
}
