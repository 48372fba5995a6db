// The models with planted circuits that rankings are judged on.

import Files
import Tensors
import Tokenizers
import Transformers

/// One model of the suite.
public struct PlantedRecipe: Sendable {
  /// Its name, which says its circuit and what is special about it.
  public let name: String
  /// The seed of its basis, of its busy heads and of where heads are.
  public let seed: UInt64
  private let make: @Sendable (inout SeededGenerator) -> PlantedCircuit

  /// Twelve models: four circuits, each once with a head that works against the answer, once with one that stands in
  /// for the last when that is gone, and once with an MLP between the last head and the answer.
  public static let all: [PlantedRecipe] = {
    let kinds: [@Sendable (inout SeededGenerator) -> PlantedCircuit] = [
      PlantedCircuit.induction, PlantedCircuit.mover, PlantedCircuit.marked, PlantedCircuit.twoSteps,
    ]
    var recipes: [PlantedRecipe] = []
    for kind in kinds {
      let variants: [(String, @Sendable (inout PlantedCircuit, inout SeededGenerator) -> Void)] = [
        ("negative", { $0.addNegativeHead(sharpness: PlantedCircuit.sharpness(&$1)) }),
        ("backup", { $0.addBackup(sharpness: PlantedCircuit.sharpness(&$1)) }),
        ("look-up", { $0.lookUpAnswers(&$1) }),
      ]
      for (variant, change) in variants {
        var unused = SeededGenerator(seed: 0)
        recipes.append(
          PlantedRecipe(
            name: kind(&unused).name + "-" + variant, seed: 301 + UInt64(recipes.count),
            make: { random in
              var circuit = kind(&random)
              change(&circuit, &random)
              return circuit
            }))
      }
    }
    return recipes
  }()

  private init(
    name: String, seed: UInt64, make: @escaping @Sendable (inout SeededGenerator) -> PlantedCircuit
  ) {
    self.name = name
    self.seed = seed
    self.make = make
  }

  /// Heads in a layer, most of them busy with nothing.
  static let headsPerLayer = 6

  func model() -> PlantedModel {
    var random = SeededGenerator(seed: seed, stream: "planted model")
    let circuit = make(&random)
    return PlantedModel(circuit, headsPerLayer: Self.headsPerLayer, random: &random)
  }

  /// Writes the model, its tokenizer and its task with the truths `planted`, `pair` and `mean`; in models with a
  /// stand-in also `planted-backups`.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - examples: positive prompts that effects are measured on, to see that the circuit is what it should be.
  /// - Throws: `PlantedError` where a head that should act does not, or another does; `FileError` where a file cannot
  ///   be written.
  public func write(toFolder folder: String, examples: Int = 200) throws {
    let planted = model()
    try planted.model.write(toFolder: folder, metadata: ["seed": String(seed)])
    try WordLevelDescription(words: PlantedWords.all, unknown: "?").write(toFolder: folder)
    let fields = [
      JSONMember("name", .string(name)), JSONMember("summary", .string(planted.circuit.summary)),
    ]
    let path = folder + "/task.json"
    try writeFile(JSONValue.object(fields + planted.circuit.task).text(), to: path)
    var spec = try TaskSpec(path: path)
    let prompts = try spec.promptSet(
      examples: examples, seed: 1, limits: PromptLimits(modelFolder: folder))
    let identity = try ModelIdentity(folder: folder)
    let madeBy = [
      JSONMember("model_sha256", .string(identity.weightsSHA256)), JSONMember("seed", .integer(1)),
    ]
    var measured: [GroundTruth] = []
    for question in HeadQuestion.allCases {
      let ablation = try HeadAblation(of: prompts, model: planted.model, replacement: question.replacement)
      guard ablation.accuracy > 0.9 else {
        throw PlantedError.notDone(model: name, accuracy: ablation.accuracy)
      }
      measured.append(
        ablation.truth(
          named: question.rawValue, model: name, threshold: HeadJudge.threshold, seed: 0, madeBy: madeBy))
    }
    try check(planted, measured)
    func truth(_ name: String, _ groups: [GroundTruth.Group], _ notes: String) -> GroundTruth {
      GroundTruth(
        name: name, model: self.name, layers: planted.model.configuration.layers,
        headsPerLayer: Self.headsPerLayer, source: "weights set by hand, seed \(seed)", notes: notes,
        groups: groups, mlps: planted.circuit.lookUp.map { [$0.layer] } ?? [])
    }
    try spec.write(
      truth(
        "planted", planted.acting,
        "All other heads write only where nothing reads, or rest while these act; seen by replacing each head in turn."
      ))
    if !planted.backups.isEmpty {
      try spec.write(
        truth(
          "planted-backups",
          planted.acting + [GroundTruth.Group(role: "backup", heads: planted.backups)],
          "With the head that acts only where the last one is gone."))
    }
    for truth in measured { try spec.write(truth) }
  }

  /// Sees that just the heads that should act do.
  private func check(_ planted: PlantedModel, _ measured: [GroundTruth]) throws(PlantedError) {
    let expected = planted.acting.flatMap(\.heads).sorted()
    for truth in measured where truth.heads != expected {
      throw .otherHeads(
        model: name, question: truth.name, expected: expected.map { "\($0.layer).\($0.head)" },
        found: truth.heads.map { "\($0.layer).\($0.head)" })
    }
  }
}

/// What can be wrong with a planted model.
public enum PlantedError: Error, Equatable {
  /// The model does not do its task.
  case notDone(model: String, accuracy: Double)
  /// Replacing heads shows another circuit than was planted.
  case otherHeads(model: String, question: String, expected: [String], found: [String])
}
