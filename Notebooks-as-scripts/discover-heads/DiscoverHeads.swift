// From a recording to ranked heads: autoencoders, codes that change between a prompt and its twin, and null baselines.
//
//   swift run -c release DiscoverHeads [TASK [MODEL-FOLDER]]
//
// Without arguments it looks for the heads that do indirect-object identification in the bundled model.

import CircuitDiscovery
import Narration
import Recordings
import Reports
import SparseAutoencoders
import Transformers

@main
enum DiscoverHeads {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let library = TaskLibrary.bundled()
    let task = try library.task(arguments.first ?? "ioi")
    let folder = arguments.dropFirst().first ?? (library.folder ?? "Circuits") + "/default-model"
    let narration = try Narration("discover-heads")
    let model = try Transformer(folder: folder)
    let prompts = try showPrompts(of: task, folder: folder)
    try showAnswers(prompts, model)
    try narration.withScratchFolder { scratch in
      let recording = try record(prompts, model, folder: folder, to: scratch + "/recording.h5")
      let trained = try train(on: recording, narration)
      let ranking = try showRanking(recording, trained)
      let truth = try truth(for: task, prompts, model, folder: folder)
      try draw(ranking, truth, narration)
      try compare(ranking, recording, trained, truth)
    }
  }

  static func showPrompts(of task: TaskSpec, folder: String) throws -> PromptSet {
    print("1. A task: \(task.summary)")
    let limits = try PromptLimits(modelFolder: folder)
    let prompts = try task.promptSet(examples: 250, seed: 0, limits: limits)
    print("   The spec gives prompts that call for it, each with a twin that does not:")
    for (positive, negative) in prompts.pairs.prefix(2) {
      for (sign, index) in [("+", positive), ("−", negative)] {
        let prompt = prompts.prompts[index]
        let text = prompt.text ?? prompt.tokens.map(String.init).joined(separator: " ")
        print(
          "   \(sign) \(text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "⏎"))"
        )
      }
    }
    print("   \(prompts.pairs.count) pairs, \(prompts.longest) tokens at most.")
    return prompts
  }

  static func showAnswers(_ prompts: PromptSet, _ model: Transformer) throws {
    print("\n2. A model: \(model.configuration.layers) layers of \(model.configuration.heads) heads")
    let scores = try model.answerScores(prompts)
    let right = Double(scores.count(where: \.isRight)) / Double(scores.count)
    print("   Its most likely next token is right after \(right.percent) of the positive prompts.")
    if right < 0.5 { print("   That is little: what follows says which heads react, not which do the task.") }
  }

  static func record(
    _ prompts: PromptSet, _ model: Transformer, folder: String, to path: String
  ) throws -> Recording {
    print("\n3. What every head writes into the residual stream where the answer is due")
    let recorder = HeadRecorder(
      model: model, identity: try ModelIdentity(folder: folder), createdBy: "DiscoverHeads")
    let recording = try recorder.record(prompts, position: .named("answer"), to: path)
    let made = recording.description
    print(
      "   \(recording.examples.count) prompts × \(made.layers) layers × \(made.heads) heads × "
        + "\(made.dModel) numbers, in an HDF5 file.")
    return recording
  }

  static func train(on recording: Recording, _ narration: Narration) throws -> TrainedAutoencoders {
    print("\n4. A dictionary for all heads: sparse autoencoders, trained on five pairs each")
    let trained = try TrainedAutoencoders.train(
      on: recording, protocol: .change, hyperparameters: Hyperparameters(), seed: 0)
    for (index, member) in trained.members.enumerated() {
      let (first, last) = (member.losses.first ?? 0, member.losses.last ?? 0)
      print("   autoencoder \(index + 1): loss \(first.short) at first, \(last.short) at last")
    }
    print("   A head's code on a prompt is the feature that is most active in its output.")
    try narration.draw(
      LineChart(
        title: "Training of the autoencoders", xTitle: "step", yTitle: "loss",
        series: trained.members.enumerated().map { index, member in
          .init(
            "autoencoder \(index + 1)",
            member.losses.enumerated().map { (x: Double($0.offset), y: Double($0.element)) })
        }
      ).svg, as: "losses")
    return trained
  }

  static func showRanking(_ recording: Recording, _ trained: TrainedAutoencoders) throws -> HeadRanking {
    print("\n5. Heads by how much their features change between a prompt and its twin")
    let ranking = try HeadRanking.rank(recording, with: trained, protocol: .change)
    let highest = ranking.heads.first?.score ?? 1
    for head in ranking.heads.prefix(8) {
      let bar = String(repeating: "█", count: Int((20 * head.score / max(highest, 1e-9)).rounded()))
      let codes = "\(head.counts.uniqueToPositive) of \(head.counts.distinct) codes on positives only"
      print("   \(head.layer).\(head.head)  \(bar) \(head.score.short), \(codes)")
    }
    print("   Only pairs that an autoencoder was not trained on were scored.")
    return ranking
  }

  /// The truth `ablation` that the spec holds for this very model, or one measured here.
  static func truth(
    for task: TaskSpec, _ prompts: PromptSet, _ model: Transformer, folder: String
  ) throws -> GroundTruth {
    print("\n6. Which heads the answer depends on")
    let identity = try ModelIdentity(folder: folder)
    if let stored = task.measuredTruth(of: identity) {
      print("   \(task.name) holds a truth for this model: \(stored.source).")
      describe(stored)
      return stored
    }
    var some = prompts
    some.prompts = Array(prompts.prompts.prefix(200))
    let ablation = try HeadAblation(of: some, model: model)
    let measured = ablation.truth(
      named: "ablation", model: identity.name, threshold: 0.05, seed: 0, madeBy: [])
    print("   Measured here: each head replaced by its mean over the negatives, one after the other.")
    describe(measured)
    return measured
  }

  static func describe(_ truth: GroundTruth) {
    let names = truth.heads.map { "\($0.layer).\($0.head)" }.joined(separator: " ")
    print("   \(truth.heads.count) of \(truth.layers * truth.headsPerLayer) heads: \(names)")
  }

  static func draw(_ ranking: HeadRanking, _ truth: GroundTruth, _ narration: Narration) throws {
    var scores = [[Double?]](
      repeating: [Double?](repeating: nil, count: truth.headsPerLayer), count: truth.layers)
    for head in ranking.heads { scores[head.layer][head.head] = head.score }
    try narration.draw(
      HeatMap(
        title: "Score of each head; those the answer depends on are outlined", rowTitle: "layer",
        columnTitle: "head", rows: (0..<truth.layers).map(String.init),
        columns: (0..<truth.headsPerLayer).map(String.init), values: scores,
        outlined: Set(truth.heads.map { [$0.layer, $0.head] })
      ).svg, as: "scores")
  }

  static func compare(
    _ ranking: HeadRanking, _ recording: Recording, _ trained: TrainedAutoencoders, _ truth: GroundTruth
  ) throws {
    print("\n7. Whether the ranking finds them, and whether the dictionary was needed")
    let made = recording.description
    let table = HeadTable(
      path: recording.path, layers: made.layers, headsPerLayer: made.heads, scores: ranking.scores)
    guard !truth.heads.isEmpty, truth.heads.count < ranking.heads.count else {
      print("   No head (or every head) counts, so there is nothing to find.")
      return
    }
    let scorer = try HeadScorer(recording, trained: trained, protocol: .change)
    let evaluation = try Evaluation(table, draws: scorer.scores(draws: 500, seed: 0), truth: truth)
    for name in ["trapezoid_auc", "average_precision", "f1_at_k"] {
      guard let measure = evaluation.measure(named: name) else { continue }
      let interval = measure.interval.map {
        ", \($0.lowerBound.short) to \($0.upperBound.short) over prompts"
      }
      print("   \(name): \(measure.mean.short)\(interval ?? "")")
    }
    let nulls = try NullBaseline.all(
      beside: ranking.scores, of: recording, trained: trained, protocol: .change, truth: truth)
    for null in nulls {
      print("   \(null.name), without any training: trapezoid_auc \((null.trapezoidAUC ?? .nan).short)")
    }
    let area = evaluation.measure(named: "trapezoid_auc")?.mean ?? 0
    let best = nulls.compactMap(\.trapezoidAUC).max() ?? 0
    print(
      best >= area
        ? "   A baseline without training does as well: here the pairs find the heads, not the dictionary."
        : "   No baseline without training does as well.")
  }
}
