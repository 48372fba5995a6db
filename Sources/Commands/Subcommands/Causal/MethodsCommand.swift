// headlamp methods: what attribute can do.

import CausalMethods
import Files

/// Lists the attribution methods.
enum MethodsCommand: Subcommand {
  static let name = "methods"
  static let summary = "list the methods of 'attribute', with their cost and source"
  static let discussion = """
    Each method scores the nodes (heads, MLPs, the input) or the edges (from a node's output to the queries, keys, values \
    or MLP input that read it) of a model's graph. Costs are runs over the prompts.
    """
  static let positionals: [Positional] = []
  static let options: [any OptionDeclaration] = []
  static let examples = [Example("headlamp methods", "every method, a few lines each")]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    console.result(
      .array(
        attributionMethods.map { method in
          .object([
            JSONMember("name", .string(method.name)), JSONMember("summary", .string(method.summary)),
            JSONMember("cost", .string(method.cost)),
            JSONMember("replace", .array(method.replacements.map { .string($0.rawValue) })),
            JSONMember("source", .string(method.source)),
          ])
        }))
    for method in attributionMethods {
      let replacements = method.replacements.map(\.rawValue).joined(separator: ", ")
      console.print(method.name)
      console.print("  " + method.summary)
      console.print("  cost: " + method.cost)
      console.print("  --replace: " + replacements)
      console.print("  source: " + method.source)
    }
  }
}
