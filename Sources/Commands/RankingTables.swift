// Rankings as heads.csv and pairs.csv.

import CircuitDiscovery
import Files
import Reports

extension HeadRanking {
  /// rank, layer, head, score, probability, unique_positive, unique_negative, distinct_codes; then position where
  /// positions were kept apart, and in_truth where a truth is named.
  func headsTable(truth: GroundTruth?) -> CSVDocument {
    let hasPositions = heads.contains { $0.position != nil }
    let trueHeads = truth.map { Set($0.heads) }
    var document = CSVDocument(
      header: [
        "rank", "layer", "head", "score", "probability", "unique_positive", "unique_negative",
        "distinct_codes",
      ] + (hasPositions ? ["position"] : []) + (truth == nil ? [] : ["in_truth"]))
    for head in heads {
      var row: [CSVCell] = [
        .integer(head.rank), .integer(head.layer), .integer(head.head), .number(head.score),
        .number(head.probability), .integer(head.counts.uniqueToPositive),
        .integer(head.counts.uniqueToNegative), .integer(head.counts.distinct),
      ]
      if hasPositions { row.append(head.position.map { .integer($0) } ?? .empty) }
      if let trueHeads {
        row.append(.integer(trueHeads.contains(HeadIndex(layer: head.layer, head: head.head)) ? 1 : 0))
      }
      document.append(row)
    }
    return document
  }

  /// rank, layer_a, head_a, layer_b, head_b, score.
  func pairsTable() -> CSVDocument {
    var document = CSVDocument(header: ["rank", "layer_a", "head_a", "layer_b", "head_b", "score"])
    for pair in pairs {
      document.append([
        .integer(pair.rank), .integer(pair.layerA), .integer(pair.headA), .integer(pair.layerB),
        .integer(pair.headB), .number(pair.score),
      ])
    }
    return document
  }

  /// The best heads as lines for a terminal.
  func lines(best count: Int, truth: GroundTruth?) -> [String] {
    let trueHeads = Set(truth?.heads ?? [])
    let header = "rank  head    score       unique +/−  codes" + (truth.map { "  in \($0.name)" } ?? "")
    return [header]
      + heads.prefix(count).map { head in
        let name = "\(head.layer).\(head.head)"
        let counts = "\(head.counts.uniqueToPositive)/\(head.counts.uniqueToNegative)"
        let mark = trueHeads.contains(HeadIndex(layer: head.layer, head: head.head)) ? "  *" : ""
        return "\(head.rank)".leftPadded(to: 4) + "  " + name.padded(to: 6) + "  "
          + head.score.text(significant: 5).padded(to: 10) + "  " + counts.padded(to: 10) + "  "
          + "\(head.counts.distinct)".padded(to: 5) + mark
      }
  }
}
