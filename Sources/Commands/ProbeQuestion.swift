// What is asked of a recording by its probes: the field, the control task, and the words for classes and directions.

import CircuitDiscovery
import Files
import Probes
import Recordings
import Tensors
import Transformers

/// What is asked of a recording, and the words for it.
struct ProbeQuestion {
  let recording: Recording
  let fields: PromptFields
  let target: ProbeTarget
  /// A kind for each prompt; nil where there is no control task.
  let kinds: [Int]?
  /// Where kinds come from, in words.
  let control: String
  private let model: Transformer?
  private let words: TokenWords?

  init(_ arguments: ParsedArguments) throws {
    let recording = try Recording(path: arguments.positionals[0])
    if arguments.isGiven(ProbeCommand.positions), recording.description.position != .each {
      throw UsageError.invalid(
        "--positions goes with a recording of each position; \(recording.path) holds "
          + "'\(recording.description.position.text)'")
    }
    guard !recording.examples.isEmpty else {
      throw ProbeError.tooFewPrompts(path: recording.path, prompts: 0, least: 2 * ProbeTarget.leastPrompts)
    }
    let file = try arguments[ProbeCommand.fields].map { try FieldFile(path: $0) }
    let fields = try PromptFields(recording, beside: file)
    let name = arguments[ProbeCommand.target] ?? "label"
    let target = try ProbeTarget(field: name, values: fields.values(of: name))
    (kinds, control) = try Self.control(
      arguments[ProbeCommand.control] ?? "auto", fields, target, recording)
    if let folder = arguments[ProbeCommand.model] {
      let digest = try ModelIdentity(folder: folder).weightsSHA256
      guard digest == recording.description.modelSHA256 else {
        throw ProbeError.otherModel(
          fact: "the weights of \(folder) and of the recorded model",
          fitted: String(digest.prefix(12)), given: String(recording.description.modelSHA256.prefix(12)))
      }
      model = try Transformer(folder: folder)
      words = TokenWords(modelFolder: folder)
    } else {
      (model, words) = (nil, nil)
    }
    self.recording = recording
    self.fields = fields
    self.target = target
  }

  private static func control(
    _ word: String, _ fields: PromptFields, _ target: ProbeTarget, _ recording: Recording
  ) throws -> (kinds: [Int]?, words: String) {
    switch word {
    case "none": return (nil, "none")
    case "auto":
      guard let position = fields.controlPosition(classCount: target.classes.count) else {
        return (nil, "none: at no position are tokens of many kinds met again in most prompts")
      }
      let tokens = try fields.tokens(at: position)
      return (tokens, "random classes by the token at \(position) (\(Set(tokens).count) kinds)")
    default:
      let values = try fields.values(of: word).map { $0 ?? "" }
      let names = Set(values).sorted()
      let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
      return (values.map { places[$0] ?? 0 }, "random classes by \(word) (\(names.count) kinds)")
    }
  }

  /// A class as a reader wants it: a token as its text where the model is at hand.
  func className(_ index: Int) -> String {
    let name = target.classes[index]
    guard target.field.hasPrefix("token:"), let words, let token = Int(name) else { return name }
    return words[token]
  }

  /// How many prompts each class has.
  var classSizes: [Int] {
    let counts = Dictionary(target.labels.map { ($0, 1) }, uniquingKeysWith: +)
    return target.classes.indices.map { counts[$0] ?? 0 }
  }

  /// What is asked, as lines for a terminal.
  var lines: [String] {
    let sizes = classSizes
    let shown = target.classes.indices.prefix(8).map { "\(className($0)) \(sizes[$0])" }.joined(
      separator: ", ")
    var lines = [
      "\(target.field): \(target.classes.count) classes over \(target.prompts.count) prompts "
        + "(\(shown)\(target.classes.count > 8 ? ", …" : ""))"
    ]
    if target.rare.prompts > 0 {
      lines.append(
        "left out: \(target.rare.prompts) prompts of \(target.rare.values) values that fewer than "
          + "\(ProbeTarget.leastPrompts) prompts have")
    }
    if target.withoutValue > 0 { lines.append("left out: \(target.withoutValue) prompts without a value") }
    lines.append("control: " + control)
    return lines
  }

  /// What directions of probes say in tokens, through the unembedding; none where no model is at hand.
  func directions(of probes: [PlaceProbe]) throws -> ProbeDirections {
    guard let model, let words else { return ProbeDirections(rows: []) }
    var rows: [ProbeDirections.Row] = []
    for probe in probes {
      // The directions of two classes are opposite: one says it all.
      let classes = target.classes.count == 2 ? [1] : Array(target.classes.indices)
      let effects = try model.logitEffects(
        of: Tensor(
          classes.flatMap { probe.result.directions[$0].map { Float($0) } },
          shape: [classes.count, recording.description.dModel]))
      for (row, index) in classes.enumerated() {
        let logits = effects.row(row).values
        rows.append(
          ProbeDirections.Row(
            place: probe.place, className: className(index),
            raises: words.list(largest(5, of: logits)), lowers: words.list(largest(5, of: logits.map { -$0 }))
          ))
      }
    }
    return ProbeDirections(rows: rows)
  }

  private func largest(_ count: Int, of values: [Float]) -> [Int] {
    var best: [Int] = []
    for index in values.indices {
      guard best.count < count || values[index] > values[best[best.count - 1]] else { continue }
      let place = best.firstIndex { values[$0] < values[index] } ?? best.count
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
