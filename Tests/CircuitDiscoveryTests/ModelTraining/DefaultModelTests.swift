// The model that comes with the package does its tasks on prompts it has never seen.

import CircuitDiscovery
import Files
import Foundation
import TestSupport
import Tensors
import Testing
import Tokenizers
import Transformers

@Suite struct DefaultModelTests {
  static let folder = packageFolder + "/Circuits/default-model"

  /// The share of fresh held-out prompts on which the most likely next token is a right answer, and the mean
  /// probability of all right answers.
  static func score(_ name: String, seed: UInt64) throws -> (accuracy: Double, mass: Double, prompts: Int) {
    let model = try Transformer(folder: folder)
    let limits = try PromptLimits(modelFolder: folder)
    let task = try TaskLibrary(folder: packageFolder + "/Circuits").task(name)
    let set = try task.promptSet(examples: 2500, seed: seed, limits: limits)
    let asked = set.prompts.filter { $0.isPositive && TaskCorpus.isHeldOut($0.tokens) }
    let logits = try model.run(
      TokenBatch(asked.map(\.tokens)), reading: [.logits])[.logits]
    let (width, vocabulary) = (logits.shape[1], logits.shape[2])
    var (right, mass) = (0, 0.0)
    let values = logits.values
    for (index, prompt) in asked.enumerated() {
      let start = (index * width + prompt.answerPosition) * vocabulary
      let row = values[start..<start + vocabulary].map(Double.init)
      let best = row.indices.max { row[$0] < row[$1] } ?? 0
      if prompt.answerTokens.contains(best) { right += 1 }
      let largest = row[best]
      let total = row.reduce(0) { $0 + exp($1 - largest) }
      mass += prompt.answerTokens.reduce(0) { $0 + exp(row[$1] - largest) } / total
    }
    return (Double(right) / Double(asked.count), mass / Double(asked.count), asked.count)
  }

  @Test(arguments: ["ioi", "greater-than", "induction"])
  func isRightOnHeldOutPrompts(name: String) throws {
    let (accuracy, mass, prompts) = try Self.score(name, seed: 77)
    #expect(prompts > 150)
    #expect(accuracy >= 0.95, "\(name): right on \(accuracy) of \(prompts)")
    #expect(mass >= 0.85, "\(name): the right answers have probability \(mass)")
  }

  @Test func isSmall() throws {
    let file = try MappedFile(path: Self.folder + "/model.safetensors")
    #expect(file.bytes.count < 4_000_000)
    let configuration = try Transformer.configuration(ofFolder: Self.folder)
    #expect(configuration.layers == 4 && configuration.heads == 8)
  }
}
