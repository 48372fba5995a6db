// What code attribution found, as tables, as a summary and as lines for a terminal.

import CausalMethods
import CircuitDiscovery
import Files
import Recordings
import Reports
import Transformers

/// Everything that is written of a code attribution.
struct AttributionReport {
  var ranking: CodeRanking
  var cards: [CodeCard]
  var words: TokenWords
  var truth: GroundTruth?
  var judged: Judgement
  var activeCodes: Double
  /// What taking codes away costs; empty where that was not tried.
  var curves: [CodeAblationCurve]

  private func name(_ head: Int) -> String {
    "\(head / ranking.headsPerLayer).\(head % ranking.headsPerLayer)"
  }

  func headsTable() -> CSVDocument {
    let trueHeads = truth.map { Set($0.heads) }
    var document = CSVDocument(
      header: [
        "rank", "layer", "head", "score", "probability", "unique_positive", "unique_negative",
        "distinct_codes", "attribution", "attribution_low", "attribution_high", "share", "rank_low",
        "rank_high", "in_top", "p_value", "q_value", "in_circuit", "error_term", "whole",
      ] + (truth == nil ? [] : ["in_truth"]))
    for head in ranking.heads {
      var row: [CSVCell] = [
        .integer(head.rank), .integer(head.layer), .integer(head.head), .number(head.score),
        .number(head.probability), .integer(head.counts.uniqueToPositive),
        .integer(head.counts.uniqueToNegative), .integer(head.counts.distinct), .number(head.attribution),
        .number(head.interval.lowerBound), .number(head.interval.upperBound), .number(head.share),
        .integer(head.ranks.lowerBound), .integer(head.ranks.upperBound), .number(head.inTop),
        .number(head.pValue), .number(head.qValue), .integer(head.isInCircuit ? 1 : 0), .number(head.error),
        .number(head.whole),
      ]
      if let trueHeads {
        row.append(.integer(trueHeads.contains(HeadIndex(layer: head.layer, head: head.head)) ? 1 : 0))
      }
      document.append(row)
    }
    return document
  }

  func pairsTable() -> CSVDocument {
    var document = CSVDocument(header: ["rank", "layer_a", "head_a", "layer_b", "head_b", "score"])
    let perLayer = ranking.headsPerLayer
    for (place, pair) in ranking.pairs().enumerated() {
      document.append([
        .integer(place + 1), .integer(pair.first / perLayer), .integer(pair.first % perLayer),
        .integer(pair.second / perLayer), .integer(pair.second % perLayer), .number(pair.score),
      ])
    }
    return document
  }

  func codesTable() -> CSVDocument {
    var document = CSVDocument(header: [
      "layer", "head", "code", "attribution", "attribution_low", "attribution_high", "share_of_head", "uses",
      "replaced_uses", "strongest_prompt", "strongest_position", "strongest_token", "promotes", "suppresses",
    ])
    for card in cards {
      document.append([
        .integer(card.layer), .integer(card.head), .integer(card.code), .number(card.attribution),
        .number(card.interval.lowerBound), .number(card.interval.upperBound), .number(card.shareOfHead),
        .number(card.uses), .number(card.replacedUses), .integer(card.prompt), .integer(card.position),
        .text(words[card.token]), .text(words.list(card.promotes)), .text(words.list(card.suppresses)),
      ])
    }
    return document
  }

  /// The codes that go together: what both carry on the same prompts.
  func codePairsTable(_ attribution: CodeAttribution) -> CSVDocument {
    var document = CSVDocument(header: [
      "rank", "layer_a", "head_a", "code_a", "layer_b", "head_b", "code_b", "score",
    ])
    let perLayer = ranking.headsPerLayer
    let rows = cards.map { card in
      attribution.scores(of: HeadCode(head: card.layer * perLayer + card.head, code: card.code))
    }
    var pairs: [(first: Int, second: Int, score: Double)] = []
    for first in cards.indices {
      for second in first + 1..<max(first + 1, cards.count)
      where (cards[first].layer, cards[first].head) != (cards[second].layer, cards[second].head) {
        let sum = zip(rows[first], rows[second]).reduce(0.0) { sum, pair in
          pair.0 * pair.1 > 0 ? sum + min(abs(pair.0), abs(pair.1)) : sum
        }
        pairs.append((first, second, sum / Double(max(1, attribution.prompts))))
      }
    }
    pairs.sort { (-$0.score, $0.first, $0.second) < (-$1.score, $1.first, $1.second) }
    for (place, pair) in pairs.prefix(100).enumerated() {
      let (a, b) = (cards[pair.first], cards[pair.second])
      document.append([
        .integer(place + 1), .integer(a.layer), .integer(a.head), .integer(a.code), .integer(b.layer),
        .integer(b.head), .integer(b.code), .number(pair.score),
      ])
    }
    return document
  }

  /// What taking away the best codes, random codes and whole heads costs, at equal numbers of dimensions.
  func ablationTable() -> CSVDocument {
    var document = CSVDocument(header: [
      "removed", "dimensions", "metric_lost", "metric_lost_low", "metric_lost_high",
    ])
    for curve in curves {
      for (place, dimensions) in curve.dimensions.enumerated() {
        document.append([
          .text(curve.name), .integer(dimensions), .number(curve.lost[place]),
          .number(curve.intervals[place].lowerBound), .number(curve.intervals[place].upperBound),
        ])
      }
    }
    return document
  }

  /// What the dimensions of one head buy, spent on the best codes or on the best head.
  private var ablationLines: [String] {
    guard let heads = curves.last, let dimensions = heads.dimensions.first, curves.count > 1 else {
      return []
    }
    let parts = curves.compactMap { curve -> String? in
      guard let place = curve.dimensions.firstIndex(of: dimensions) else { return nil }
      return "\(curve.name) \((100 * curve.lost[place]).text(decimals: 0)) %"
    }
    return [
      "metric lost where the best \(dimensions) dimensions are replaced: " + parts.joined(separator: ", ")
    ]
  }

  func lines(question: SourceReplacement) -> [String] {
    let trueHeads = Set(truth?.heads ?? [])
    let asked =
      question == .pair
      ? "what carries the difference between a prompt and its negative"
      : "what the task cannot do without (heads replaced by their mean over negatives)"
    let inCircuit = ranking.heads.count { $0.isInCircuit }
    var lines = [
      "asked: \(asked)",
      "\(inCircuit) of \(ranking.heads.count) heads are in the circuit; mean metric "
        + ranking.metric.text(significant: 4),
      "rank  head   share of metric [95 %]      in top \(ranking.cut.top)  circuit"
        + (truth.map { "  in \($0.name)" } ?? ""),
    ]
    let scale = abs(ranking.metric) > 0 ? abs(ranking.metric) : 1
    for head in ranking.heads.prefix(ranking.cut.top) {
      let interval =
        "[\((-100 * head.interval.upperBound / scale).text(decimals: 1)), "
        + "\((-100 * head.interval.lowerBound / scale).text(decimals: 1))]"
      let mark = trueHeads.contains(HeadIndex(layer: head.layer, head: head.head)) ? "  *" : ""
      lines.append(
        "\(head.rank)".leftPadded(to: 4) + "  " + "\(head.layer).\(head.head)".padded(to: 6)
          + (-100 * head.share).text(decimals: 1).leftPadded(to: 6) + " % " + interval.padded(to: 18)
          + head.inTop.text(decimals: 2).leftPadded(to: 10) + "  "
          + (head.isInCircuit ? "yes" : "no").padded(to: 7) + mark)
    }
    lines += codeLines()
    lines += ablationLines
    lines += judged.lines
    return lines
  }

  /// The largest code of each of the best heads, in words.
  private func codeLines() -> [String] {
    var seen: Set<Int> = []
    var lines: [String] = []
    for card in cards where seen.insert(card.layer * ranking.headsPerLayer + card.head).inserted {
      guard lines.count < 5 else { break }
      lines.append(
        "code \(card.code) of \(card.layer).\(card.head): \((100 * card.shareOfHead).text(decimals: 0)) % of the head, "
          + "on \((100 * card.uses).text(decimals: 0)) % of prompts and \((100 * card.replacedUses).text(decimals: 0)) % "
          + "of their replacements, most at '\(words[card.token])' (\(card.position)); "
          + "raises \(words.list(card.promotes))")
    }
    if !lines.isEmpty {
      lines.append("\(activeCodes.text(decimals: 1)) codes are active in a head's output on average")
    }
    return lines
  }

  /// - Parameter dictionary: what is to be said of where the codes come from.
  func summary(
    _ loaded: PromptOptions.Loaded, _ identity: ModelIdentity, _ recording: Recording,
    _ path: HeadPathOptions, dictionary: [JSONMember], prompts: Int
  ) throws -> JSONValue {
    let seed = loaded.prompts.seed
    var members: [JSONMember] = [
      JSONMember("schema_version", .integer(2)),
      JSONMember("created_by", .string("headlamp \(headlampVersion) discover")),
      JSONMember("protocol", .string("default")),
      JSONMember("question", .string(path.replacement.rawValue)),
      JSONMember("task", .string(loaded.prompts.task)), JSONMember("model", .string(identity.name)),
      JSONMember("model_sha256", .string(identity.weightsSHA256)),
      JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
      JSONMember("positives", .integer(recording.labels.count { $0 })),
      JSONMember("negatives", .integer(recording.labels.count { !$0 })),
      JSONMember("attributed_prompts", .integer(prompts)),
      JSONMember("recording_sha256", .string(try recording.sha256())),
      JSONMember("integration_steps", .integer(path.steps)),
      JSONMember("active_codes", .number(activeCodes)),
      JSONMember("metric", .number(ranking.metric)),
      JSONMember("heads_in_circuit", .integer(ranking.heads.count { $0.isInCircuit })),
      JSONMember("false_discovery_rate", .number(ranking.cut.falseDiscoveryRate)),
      JSONMember("least_share", .number(ranking.cut.leastShare)),
      JSONMember("top", .integer(ranking.cut.top)),
      JSONMember("dictionaries", .integer(ranking.dictionaries)),
      JSONMember(
        ranking.dictionaries > 1 ? "top_jaccard_over_prompts_and_dictionaries" : "top_jaccard_over_prompts",
        .number(ranking.topJaccard)),
      JSONMember(
        "heads",
        .array(
          ranking.heads.prefix(20).map { head in
            .object([
              JSONMember("layer", .integer(head.layer)), JSONMember("head", .integer(head.head)),
              JSONMember("score", .number(head.score)), JSONMember("share", .number(head.share)),
              JSONMember("in_circuit", .boolean(head.isInCircuit)),
            ])
          })),
      JSONMember(
        "nulls",
        .array(
          judged.nulls.indices.map { place in
            let (null, effects) = (judged.nulls[place], judged.nullEffectCorrelations[place])
            return .object([
              JSONMember("name", .string(null.name)),
              JSONMember("rank_correlation", null.rankCorrelation.map { .number($0) } ?? .null),
              JSONMember("trapezoid_auc", null.trapezoidAUC.map { .number($0) } ?? .null),
              JSONMember("effect_correlation", effects.map { .number($0) } ?? .null),
              JSONMember("codes_lost", judged.nullCodesLost[place].map { .number($0) } ?? .null),
            ])
          })),
    ]
    members += dictionary
    if let lost = judged.codesLost {
      // Where as many dimensions as a head has are replaced.
      members.append(JSONMember("codes_lost", .number(lost)))
    }
    if let evaluation = judged.evaluation {
      members.append(JSONMember("truth", .string(evaluation.truth)))
      if let correlation = judged.effectCorrelation {
        members.append(JSONMember("effect_correlation", .number(correlation)))
      }
      members.append(JSONMember("null_does_as_well", .boolean(judged.nullDoesAsWell)))
      members.append(
        JSONMember(
          "measures",
          .object(
            evaluation.measures.map { measure in
              JSONMember(
                measure.name,
                .object(
                  [JSONMember("value", .number(measure.mean))]
                    + (measure.interval.map {
                      [
                        JSONMember("low_over_prompts", .number($0.lowerBound)),
                        JSONMember("high_over_prompts", .number($0.upperBound)),
                      ]
                    } ?? [])))
            })))
    }
    return .object(members)
  }
}
