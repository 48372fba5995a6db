// Reading a recording: what attention heads write, kept in an HDF5 file, and what can be seen in it without any model.
//
//   swift run -c release ReadARecording [RECORDING]
//
// Without an argument it records 100 pairs of prompts on the bundled model first.

import CircuitDiscovery
import FoundationEssentials
import Narration
import Recordings
import Reports
import Tensors
import Transformers

@main
enum ReadARecording {
  static func main() throws {
    let narration = try Narration("read-a-recording")
    try narration.withScratchFolder { scratch in
      let path =
        try CommandLine.arguments.dropFirst().first ?? record(to: scratch + "/recording.h5", narration)
      let recording = try open(path, narration)
      let differences = try differences(recording, narration)
      try showLengths(differences, recording, narration)
      try showAgreement(differences, recording, narration)
      try showDamage(path, scratch: scratch, narration)
    }
  }

  static func record(to path: String, _ narration: Narration) throws -> String {
    narration.section("0. Recording")
    let library = TaskLibrary.bundled()
    let folder = (library.folder ?? "Circuits") + "/default-model"
    let prompts = try library.task("ioi").promptSet(
      examples: 100, seed: 0, limits: PromptLimits(modelFolder: folder))
    let recorder = HeadRecorder(
      model: try Transformer(folder: folder), identity: try ModelIdentity(folder: folder),
      createdBy: "ReadARecording")
    _ = try recorder.record(prompts, position: .named("answer"), to: path)
    narration.say(
      "The bundled model read \(prompts.prompts.count) prompts. From here on only the file is used.")
    return path
  }

  static func open(_ path: String, _ narration: Narration) throws -> Recording {
    narration.section("1. What a recording holds")
    let recording = try Recording(path: path)
    let made = recording.description
    narration.say(
      "task \(made.task), model \(made.model), seed \(made.seed), recorded at: \(made.position.text)")
    narration.say(
      "/head_outputs is [\(recording.examples.count) prompts, \(made.layers) layers, \(made.heads) heads, "
        + "\(made.dModel) numbers]: z·W_O, what each head adds to the residual stream.")
    if let first = recording.examples.first {
      narration.say("/prompts begins with: \(first.prompt)")
      narration.say(
        "/tokens, /labels and /pairs say what the model read: \(first.tokens.count) tokens, "
          + "\(first.isPositive ? "a positive" : "a negative"), its partner is prompt \(first.pair ?? -1).")
    }
    return recording
  }

  /// What each head writes on a prompt less what it writes on the negative, `[head][pair]`.
  static func differences(_ recording: Recording, _ narration: Narration) throws -> [[[Float]]] {
    let made = recording.description
    let outputs = try recording.headOutputs(examples: 0..<recording.examples.count)
    let heads = made.layers * made.heads
    let rows = outputs.reshaped([recording.examples.count * heads, made.dModel])
    return (0..<heads).map { head in
      recording.pairs.map { pair in
        zip(rows.row(pair.positive * heads + head).values, rows.row(pair.negative * heads + head).values)
          .map { $0 - $1 }
      }
    }
  }

  static func showLengths(
    _ differences: [[[Float]]], _ recording: Recording, _ narration: Narration
  ) throws {
    narration.section("2. Which heads change with the task")
    narration.say(
      "A head that does something else on a prompt than on its negative writes another vector there.")
    let lengths = differences.map { head in mean(head.map(length)) }
    for place in lengths.indices.sorted(by: { lengths[$0] > lengths[$1] }).prefix(5) {
      narration.say("\(name(place, recording)): the two differ by \(lengths[place].short) on average")
    }
    narration.say("A large change is a hint, not a proof: a busy head may write where nobody reads.")
    try narration.draw(
      map(lengths, "Mean length of the difference between a prompt and its negative", recording),
      as: "differences")
  }

  static func showAgreement(
    _ differences: [[[Float]]], _ recording: Recording, _ narration: Narration
  ) throws {
    narration.section("3. Whether the change is the same on every prompt")
    narration.say("1: every difference points the same way. Near 0: each prompt has a direction of its own,")
    narration.say("as where a head copies the name at hand.")
    let agreement = differences.map { head -> Double in
      var sum = [Float](repeating: 0, count: recording.description.dModel)
      for difference in head { for place in sum.indices { sum[place] += difference[place] } }
      let total = head.reduce(0) { $0 + length($1) }
      return total > 0 ? length(sum) / total : 0
    }
    for place in agreement.indices.sorted(by: { agreement[$0] > agreement[$1] }).prefix(3) {
      narration.say("\(name(place, recording)): \(agreement[place].short)")
    }
    try narration.draw(
      map(agreement, "How far the differences of all prompts point the same way", recording), as: "agreement")
  }

  static func showDamage(_ path: String, scratch: String, _ narration: Narration) throws {
    narration.section("4. A damaged file is told")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 1
    let copy = scratch + "/damaged.h5"
    try bytes.write(to: URL(fileURLWithPath: copy))
    do {
      _ = try Recording(path: copy)
      narration.say("One bit was turned round and nobody noticed: the file was not written by this project.")
    } catch {
      narration.say("One bit in the middle was turned round, and the file is refused.")
    }
  }

  static func length(_ vector: [Float]) -> Double {
    vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  }

  static func name(_ place: Int, _ recording: Recording) -> String {
    "\(place / recording.description.heads).\(place % recording.description.heads)"
  }

  static func map(_ values: [Double], _ title: String, _ recording: Recording) -> String {
    let (layers, heads) = (recording.description.layers, recording.description.heads)
    return HeatMap(
      title: title, rowTitle: "layer", columnTitle: "head", rows: (0..<layers).map(String.init),
      columns: (0..<heads).map(String.init),
      values: (0..<layers).map { layer in (0..<heads).map { values[layer * heads + $0] } }
    ).svg
  }
}
