// Codes of a model's own codebooks by what they do to the answer, as a table and in words.

import CausalMethods
import CircuitDiscovery
import Files
import Reports

/// Native codes in the order of their attribution.
struct NativeCodeTable {
  private let attribution: NativeCodeAttribution

  init(_ attribution: NativeCodeAttribution) { self.attribution = attribution }

  /// One row a code.
  var document: CSVDocument {
    var document = CSVDocument(header: [
      "code", "layer", "head", "attribution", "prompts", "corrupted_prompts",
    ])
    for entry in attribution.codes {
      document.append([
        .text(entry.code.description), .integer(entry.code.book.layer), .integer(entry.code.book.head ?? 0),
        .number(entry.attribution), .integer(entry.uses), .integer(entry.corruptedUses),
      ])
    }
    return document
  }

  /// The codes of largest attribution, in words.
  var largest: String {
    let shown = attribution.codes.prefix(5).map { "\($0.code) (\($0.attribution.text(decimals: 3)))" }
    return "codes of the model's own codebooks of largest attribution: " + shown.joined(separator: ", ")
  }

  /// The largest codes, and how heads by native codes agree with heads by the dictionary's.
  func lines(beside ranking: CodeRanking) -> [String] {
    var byHead = [Double](repeating: 0, count: attribution.heads.count)
    for head in ranking.heads { byHead[head.layer * ranking.headsPerLayer + head.head] = head.score }
    let correlation = rankCorrelation(attribution.heads.map(abs), byHead)
    return [
      largest,
      "heads by their own codes and by the dictionary's: Spearman \(correlation?.text(decimals: 2) ?? "not defined")",
    ]
  }
}
