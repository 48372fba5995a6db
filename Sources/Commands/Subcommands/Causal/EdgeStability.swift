// How far a circuit's largest edges depend on which prompts were drawn.

import CausalMethods
import Files

/// The stability of a method's largest edges over bootstraps of the prompts.
struct EdgeStability {
  /// The method that scored them.
  let method: String
  /// How many edges count as the largest.
  let top: Int
  /// The mean Jaccard similarity of the largest edges of two redrawn sets of prompts.
  let jaccard: Double
  /// How many of a circuit file's largest edges are among the largest here; nil where it has no scores.
  let shared: Int?

  /// The method of a name.
  /// - Throws: `UsageError` where there is none, or it scores nodes only.
  static func method(named name: String) throws -> any AttributionMethod.Type {
    let edges = attributionMethods.filter { $0.scoresEdges }.map { $0.name }
    guard let method = attributionMethod(named: name) else {
      throw UsageError.invalid(
        "there is no method '\(name)'; "
          + (nearestWord(to: name, among: edges).map { "did you mean '\($0)'?" }
            ?? "'headlamp methods' lists them"))
    }
    guard method.scoresEdges else {
      throw UsageError.invalid("--stability needs a method that scores edges, and \(name) scores nodes")
    }
    return method
  }

  /// Scores the edges of a task.
  /// - Parameter scores: a circuit file's, edge by edge, to compare with.
  init(
    _ method: any AttributionMethod.Type, _ loaded: CausalOptions.Loaded, scores: [Double],
    progress: (Int, Int) -> Void
  ) throws {
    let result = try method.init().attribute(loaded.model, loaded.task, loaded.options, progress: progress)
    let summary = AttributionSummary(result, seed: loaded.options.seed)
    self.method = method.name
    top = summary.top
    jaccard = summary.topJaccard
    func largest(_ scores: [Double]) -> Set<Int> {
      Set(scores.indices.sorted { (abs(scores[$0]), $1) > (abs(scores[$1]), $0) }.prefix(summary.top))
    }
    shared =
      Set(scores).count > 1
      ? largest(scores).intersection(largest((summary.edges ?? []).map(\.score))).count : nil
  }

  /// What it says, in words.
  var sentence: String {
    let kept = shared.map { "; \($0) of the file's \(top) largest are among them" } ?? ""
    return "stability: the \(top) largest edges by \(method), mean Jaccard similarity over redrawn prompts "
      + jaccard.text(decimals: 3) + kept
  }

  /// The same as fields of summary.json.
  var members: [JSONMember] {
    [
      JSONMember("stability_method", .string(method)), JSONMember("top", .integer(top)),
      JSONMember("top_jaccard_over_prompts", .number(jaccard)),
    ] + (shared.map { [JSONMember("top_shared_with_file", .integer($0))] } ?? [])
  }
}
