// headlamp record: the head outputs of a model on a task's prompts, as HDF5.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import Transformers

/// Records head outputs.
enum RecordCommand: Subcommand {
  static let name = "record"
  static let summary = "record every head's output on a task's prompts (HDF5)"
  static let discussion = """
    Runs a model on a task's prompts and writes each attention head's own output in the residual stream
    (z·W_O, without bias) to an HDF5 file: /head_outputs [prompt, layer, head, d_model], or [prompt, position, layer,
    head, d_model] with --position each, beside /tokens, /lengths, /labels, /pairs and /prompts. An interrupted
    recording goes on where it stopped when the same command runs again.
    With --shard I/N it records one of N parts of the prompts, which 'headlamp merge' joins.
    """
  static let positionals = [PromptOptions.task]
  static let output = Option<String>("output", "FILE", help: "the recording to write")
  static let position = Option<RecordedPosition>(
    "position", "mean|last|answer|each|NAME", default: .named("answer"), help: "where outputs are read")
  static let options: [any OptionDeclaration] = PromptOptions.all + [position, output, ShardOptions.shard]
  static let examples = [
    Example("headlamp record ioi --output ioi.h5", "250 pairs of prompts on the bundled model"),
    Example(
      "headlamp record prompts.jsonl --model gpt2 --position mean --output gpt2-ioi.h5",
      "prompts of your own, outputs averaged over positions"),
    Example("headlamp record ioi --shard 2/8 --output part-2.h5", "the second eighth of the prompts"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    _ = try arguments.required(output)
    let loaded = try PromptOptions.load(arguments)
    try record(loaded.read, with: HeadRecorder(loaded), arguments, console: console)
  }

  /// Records prompts with a model that is here, or whose layers several processes hold.
  static func record(
    _ read: PromptOptions.Read, with recorder: HeadRecorder, _ arguments: ParsedArguments, console: Console
  ) throws {
    let output = try arguments.required(output)
    for note in read.notes { console.note(note) }
    let manifest = try arguments[ShardOptions.shard].map {
      try ShardManifest(
        $0, of: Self.self, arguments, unit: "prompts", total: read.prompts.prompts.count,
        facts: read.facts())
    }
    if let manifest, fileExists(at: output), let part = try? Recording(path: output).part,
      part.manifest == manifest
    {
      console.note("part \(manifest.shard) is there already: \(output)")
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    let recording = try recorder.recordOrStop(
      read.prompts, position: arguments[position] ?? .named("answer"), to: output, part: manifest,
      console: console)
    console.endProgress()
    let seconds = ((clock.now - start) / .seconds(1)).text(significant: 3)
    let which = manifest.map { "part \($0.shard), " } ?? ""
    console.note("\(which)\(recording.examples.count) prompts recorded in \(seconds) s: \(output)")
  }
}

extension HeadRecorder {
  /// Records with progress on the terminal; a first interruption ends the recording after the batch it is at.
  /// - Throws: what `record` throws; `RecordingStopped` where the user interrupted it.
  func recordOrStop(
    _ prompts: PromptSet, position: RecordedPosition, to path: String, part: ShardManifest? = nil,
    console: Console
  ) throws -> Recording {
    Interruption.note()
    defer { Interruption.stopNoting() }
    return try record(prompts, position: position, to: path, part: part) { done, total in
      console.progress("recording", done, of: total, "prompts")
      if Interruption.isRequested { throw RecordingStopped(path: path, done: done, total: total) }
    }
  }

  /// A recorder for what was loaded.
  init(_ loaded: PromptOptions.Loaded) { self.init(loaded.read, loaded.model) }

  /// A recorder of prompts by a model, or by the first stage of one.
  init(_ read: PromptOptions.Read, _ model: any HeadOutputSource) {
    self.init(model: model, identity: read.identity, createdBy: "headlamp \(headlampVersion)")
  }
}

/// A recording that was asked to stop.
struct RecordingStopped: ExplainedError {
  var path: String
  var done: Int
  var total: Int

  /// What shells report for a program that SIGINT ended.
  var exitCode: Int32 { 130 }

  var sentence: String {
    "stopped after \(done) of \(total) prompts of \(path); the same command goes on from there"
  }
}
