// A file of prompts: how many, of which kind, and what is known about each.

import CircuitDiscovery
import Files

/// Describes a JSON-lines file of prompts.
enum PromptFileInspection: Inspection {
  static let kind = "a file of prompts"

  static func describe(_ path: String) throws -> [String]? {
    guard path.hasSuffix(".jsonl") else { return nil }
    let prompts = try readPrompts(at: path)
    let positives = prompts.count(where: \.isPositive)
    let texts = prompts.count { if case .text = $0.content { true } else { false } }
    let tied = Dictionary(grouping: prompts.compactMap(\.pair)) { $0 }.values.count { $0.count == 2 }
    let names = Set(prompts.flatMap(\.positions.keys)).sorted()
    let rows = [
      ("prompts", "\(positives) positive, \(prompts.count - positives) negative"),
      ("given as", "\(texts) texts, \(prompts.count - texts) lists of token ids"), ("pairs", "\(tied)"),
      ("answers", "to \(prompts.count { !$0.answers.isEmpty }) prompts"),
      ("positions", names.isEmpty ? "none named" : names.joined(separator: ", ")),
    ]
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
