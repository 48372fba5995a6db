// A file of prompts: how many, of which kind, and what is known about each.

import CircuitDiscovery
import Files

/// Describes a file of prompts.
enum PromptFileInspection: Inspection {
  static let kind = "a file of prompts"

  static func describe(_ path: String) throws -> [String]? {
    guard PromptFile.isPromptFile(path) else { return nil }
    let file = try PromptFile(path: path)
    let prompts = file.prompts
    let positives = prompts.count(where: \.isPositive)
    let texts = prompts.count { if case .text = $0.content { true } else { false } }
    let tied = Dictionary(grouping: prompts.compactMap(\.pair)) { $0 }.values.count { $0.count == 2 }
    let names = Set(prompts.flatMap(\.positions.keys)).sorted()
    let rows = [
      ("layout", file.form.rawValue),
      ("prompts", "\(positives) positive, \(prompts.count - positives) negative"),
      ("given as", "\(texts) texts, \(prompts.count - texts) lists of token ids"), ("pairs", "\(tied)"),
      ("answers", "to \(prompts.count { !$0.answers.isEmpty }) prompts"),
      ("positions", names.isEmpty ? "none named" : names.joined(separator: ", ")),
      ("not read", file.ignored.isEmpty ? "nothing" : file.ignored.joined(separator: ", ")),
    ]
    return rows.map { $0.0.padded(to: 15) + $0.1 }
  }
}
