// A task: what it looks for, how its prompts are made, and which heads others found.

import CircuitDiscovery
import Files

/// Describes a folder with `task.json`, or a spec itself.
enum TaskInspection: Inspection {
  static let kind = "a task"

  static func describe(_ path: String) throws -> [String]? {
    let spec = isFolder(path) ? path + "/task.json" : path
    guard spec.hasSuffix(".json"), fileExists(at: spec) else { return nil }
    let task = try TaskSpec(path: spec)
    let rows = [("task", task.name), ("looks for", task.summary), ("metric", task.metric.rawValue)]
    return (rows + sourceRows(task.source)).map { $0.0.padded(to: 15) + $0.1 } + truths(task)
  }

  private static func sourceRows(_ source: PromptSource) -> [(String, String)] {
    switch source {
    case .file(let path): [("prompts", "in \(path)")]
    case .prompts(let prompts):
      [
        (
          "prompts",
          "\(prompts.count { $0.isPositive }) positives, \(prompts.count { !$0.isPositive }) negatives"
        )
      ]
    case .repeatedSpan(let span):
      [
        ("words", "\(span.words.count)"),
        (
          "sequences",
          "\(text(span.before)) words, a span of \(text(span.length)), \(text(span.between)) words, "
            + "and the beginning of the span again"
        ),
      ]
    case .stateMachine(let source):
      [
        ("state machine", "\(source.states) states, each followed by one of \(source.edges)"),
        ("walks", "\(text(source.walk)) states of \(source.digits) digits"),
      ]
    case .templates(let source): templateRows(source)
    }
  }

  private static func templateRows(_ source: TemplateSource) -> [(String, String)] {
    var rows = source.templates.enumerated().map { index, wording in
      let text = wording.template.source.split(separator: "\n", omittingEmptySubsequences: false).joined(
        separator: "⏎")
      return (index == 0 ? "templates" : "", (wording.form.map { "\($0)  " } ?? "") + text)
    }
    rows.append(("answer", source.answers.map { "'\($0.source)'" }.joined(separator: ", ")))
    rows.append(("wrong", source.wrong.map { "'\($0.source)'" }.joined(separator: ", ")))
    rows.append(
      (
        "negative",
        source.negative.map { "{\($0.slot)} becomes '\($0.value.source)'" }.joined(separator: ", ")
      ))
    rows.append(("positions", source.positions.map(\.name).joined(separator: ", ")))
    rows.append(("lists", source.lists.map { "\($0.name) (\($0.words.count))" }.joined(separator: ", ")))
    return rows
  }

  private static func truths(_ task: TaskSpec) -> [String] {
    var lines: [String] = []
    for truth in task.truths {
      lines.append("truth".padded(to: 15) + "\(task.name):\(truth.name), \(truth.model): \(truth.source)")
      for group in truth.groups {
        let heads = group.heads.map { "\($0.layer).\($0.head)" }.joined(separator: " ")
        let role = group.role.isEmpty ? "" : group.role + ": "
        lines.append(String(repeating: " ", count: 17) + role + heads)
      }
    }
    return lines
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
