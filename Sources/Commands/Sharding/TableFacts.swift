// What decides a result about a table beside the options.

import Files
import Tables
import TabularExplainer

/// Digests of what a command about a table reads.
enum TableFacts {
  /// Tool, seed, and the digest of the table and of every file that an option names.
  /// - Throws: `FileError` where a file cannot be read.
  static func facts(_ arguments: ParsedArguments, _ given: SplitTable) throws -> [ShardManifest.Fact] {
    var facts = [
      ShardManifest.Fact("tool", "headlamp \(headlampVersion)"),
      ShardManifest.Fact("seed", "\(arguments[ExplainingOptions.seed] ?? 0)"),
      ShardManifest.Fact("table", "\(given.table.rowCount) rows × \(given.table.features.count) features"),
    ]
    if let path = arguments.positionals.first, path != "example" {
      facts.append(ShardManifest.Fact("inputs_sha256", try sha256(ofFileAt: path)))
    }
    let files: [(String, Option<String>)] = [
      ("model_sha256", ExplainingOptions.blackBox), ("predictions_sha256", ExplainingOptions.predictions),
    ]
    for (name, option) in files {
      guard let path = arguments[option], arguments.isGiven(option), fileExists(at: path) else { continue }
      facts.append(ShardManifest.Fact(name, try sha256(ofFileAt: path)))
    }
    return facts
  }
}
