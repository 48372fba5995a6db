// Code attribution beside its parts: whole heads by another route, codes by hand, and what must add up.

import CausalMethods
import SparseAutoencoders
import Tensors
import TestSupport
import Testing
import Transformers

@testable import CircuitDiscovery

@Suite struct CodeAttributionTests {
  static let families = ["gpt2", "llama", "gpt_neox", "gemma2"]

  /// A tiny random model with prompts whose second token differs from their negative's.
  static func study(_ family: String, prompts: Int = 5) throws -> (model: Transformer, task: CausalTask) {
    let model = try Transformer(
      folder: packageFolder + "/Tests/TransformersTests/Golden/gradients/" + family)
    var generator = SeededGenerator(seed: 11)
    let clean = (0..<prompts).map { prompt in
      (0..<(prompt == 0 ? 4 : 5)).map { _ in generator.index(below: 29) }
    }
    let corrupted = clean.map { tokens -> [Int] in
      var other = tokens
      other[1] = (tokens[1] + 7) % 29
      return other
    }
    let task = CausalTask(
      clean: clean, corrupted: corrupted, others: corrupted,
      questions: clean.map { Question(position: $0.count - 1, right: [3], wrong: [4, 5]) },
      metric: .logitDifference)
    return (model, task)
  }

  private func dictionary(_ model: Transformer, codes: Int = 24) -> CodeDictionary {
    .random(features: codes, width: model.configuration.dModel, activeFeatures: 6, seed: 2)
  }

  @Test(arguments: families, [SourceReplacement.pair, .mean, .zero])
  func wholeHeadsAreIntegratedGradients(family: String, replacement: SourceReplacement) throws {
    let (model, task) = try Self.study(family)
    var options = HeadPathOptions()
    options.replacement = replacement
    options.steps = 64
    // Two batches of different make-up: scores do not depend on how prompts are grouped.
    for limit in [10, 1000] {
      options.tokenLimit = limit
      let found = try model.attributeCodes(task, options, dictionaries: [dictionary(model)])
      var other = AttributionOptions()
      other.replacement = replacement
      // The other method takes midpoints, which tend to the same from further away.
      other.steps = 200
      let expected = try IntegratedGradients().attribute(model, task, other) { _, _ in }
      let heads = model.configuration.heads
      // A norm behind attention is not linear in heads; the other method scores each through its derivative.
      guard family != "gemma2" else { continue }
      for prompt in task.clean.indices {
        for head in 0..<model.configuration.headCount {
          let node = GraphNode.head(layer: head / heads, head: head % heads)
          let source = try #require(expected.graph.sourceIndex(of: node))
          let value = try #require(expected.nodes)[prompt][source]
          #expect(abs(found.attributions[0].whole[prompt][head] - value) < 1e-3 * max(1, abs(value)))
        }
      }
    }
  }

  @Test(arguments: families)
  func codesByHand(family: String) throws {
    let (model, task) = try Self.study(family)
    var options = HeadPathOptions()
    options.steps = 0
    let dictionary = dictionary(model)
    let found = try model.attributeCodes(task, options, dictionaries: [dictionary]).attributions[0]
    let layers = model.configuration.layers
    let heads = model.configuration.heads
    for prompt in task.clean.indices {
      let results = Set((0..<layers).map { HookPoint.result(layer: $0) })
      let raw = Set((0..<layers).map { HookPoint.block(layer: $0, .rawAttentionOut) })
      let clean = try model.gradients(
        of: LogitDifference([task.questions[prompt]]), TokenBatch([task.clean[prompt]]), at: raw,
        reading: results)
      let other = try model.run(TokenBatch([task.corrupted[prompt]]), reading: results)
      for layer in 0..<layers {
        let width = model.configuration.dModel
        let own = clean.values[.result(layer: layer)].reshaped([task.clean[prompt].count, heads, width])
        let stand = other[.result(layer: layer)].reshaped(own.shape)
        let (f, g) = (
          dictionary.activations(of: own, firstHead: 0), dictionary.activations(of: stand, firstHead: 0)
        )
        let slopes = clean.gradients[.block(layer: layer, .rawAttentionOut)].reshaped([own.shape[0], width])
        for head in 0..<heads {
          var whole = 0.0
          for code in 0..<dictionary.features {
            var sum = 0.0
            for position in 0..<own.shape[0] {
              var product = 0.0
              for column in 0..<width {
                product += Double(dictionary.directions[code, column] * slopes[position, column])
                if code == 0 {
                  whole += Double(
                    (stand[position, head, column] - own[position, head, column]) * slopes[position, column])
                }
              }
              sum += Double(g[position, head, code] - f[position, head, code]) * product
            }
            let score = found.scores(of: HeadCode(head: layer * heads + head, code: code))[prompt]
            #expect(abs(score - sum) < 1e-4 * max(1, abs(sum)), "\(family) \(layer).\(head) code \(code)")
          }
          // Codes and error are the head's whole attribution, and the error is what reconstruction leaves out.
          let place = layer * heads + head
          #expect(
            abs(found.byCodes[prompt][place] + found.error[prompt][place] - found.whole[prompt][place]) < 1e-9
          )
          #expect(abs(found.whole[prompt][place] - whole) < 1e-4 * max(1, abs(whole)))
        }
      }
    }
  }

  @Test func aDictionaryThatLeavesNothingOutHasNoError() throws {
    let (model, task) = try Self.study("gpt2")
    let width = model.configuration.dModel
    // Every direction and its opposite: relu keeps one of the two, and their sum is the output itself.
    var rows = Tensor(zeros: [2 * width, width])
    rows.withMutableValues { values in
      for column in 0..<width {
        values[column * width + column] = 1
        values[(width + column) * width + column] = -1
      }
    }
    let directions = rows
    let complete = CodeDictionary(name: "complete", directions: directions) { samples in
      var activations = matrixProduct(samples, directions, transposingB: true)
      activations.activate(.relu)
      return activations
    }
    let found = try model.attributeCodes(task, HeadPathOptions(), dictionaries: [complete]).attributions[0]
    for (error, whole) in zip(found.error.joined(), found.whole.joined()) {
      #expect(abs(error) < 1e-4 * max(1, abs(whole)))
    }
    let scaled = CodeDictionary(
      name: "scaled", directions: directions,
      scales: (0..<model.configuration.headCount).map { 0.5 + Float($0) }
    ) { samples in
      var activations = matrixProduct(samples, directions, transposingB: true)
      activations.activate(.relu)
      return activations
    }
    // Scales go in and out again: nothing changes for an encoder without biases.
    let again = try model.attributeCodes(task, HeadPathOptions(), dictionaries: [scaled]).attributions[0]
    for (one, two) in zip(found.meanCodes, again.meanCodes) { #expect(abs(one - two) < 1e-4) }
  }

  @Test func usesAreCountedOnBothSides() throws {
    let (model, task) = try Self.study("gpt2")
    let always = CodeDictionary(
      name: "always", directions: Tensor(repeating: 0.1, shape: [2, model.configuration.dModel])
    ) { samples in
      var activations = Tensor(zeros: [samples.shape[0], 2])
      activations.withMutableValues { values in
        for row in 0..<samples.shape[0] { values[2 * row] = 1 }
      }
      return activations
    }
    let found = try model.attributeCodes(task, HeadPathOptions(), dictionaries: [always]).attributions[0]
    #expect(found.uses.enumerated().allSatisfy { $1 == ($0.isMultiple(of: 2) ? task.clean.count : 0) })
    #expect(found.replacedUses == found.uses)
    #expect(found.counts(ofHead: 0) == CodeCounts(uniqueToPositive: 0, uniqueToNegative: 0, distinct: 1))
  }

  @Test func samplesAreOutputsOfTheirHeads() throws {
    let (model, task) = try Self.study("gpt2")
    let samples = try model.sampleHeadOutputs(task, count: 40, seed: 5)
    #expect(samples.outputs.shape == [40, model.configuration.dModel])
    var rows: Set<[Float]> = []
    for prompt in task.clean + task.corrupted {
      for layer in 0..<model.configuration.layers {
        let values = try model.run(TokenBatch([prompt]), reading: [.result(layer: layer)])
        let table = values[.result(layer: layer)].reshaped([
          prompt.count * model.configuration.heads, model.configuration.dModel,
        ])
        for row in 0..<table.shape[0] { rows.insert(table.row(row).values.map { ($0 * 1e3).rounded() }) }
      }
    }
    let found = (0..<40).count { rows.contains(samples.outputs.row($0).values.map { ($0 * 1e3).rounded() }) }
    #expect(found >= 38, "\(found)")
    #expect(samples.scales.count == model.configuration.headCount)
    #expect(try model.sampleHeadOutputs(task, count: 40, seed: 5).outputs == samples.outputs)
  }
}

@Suite struct CodeRankingTests {
  @Test func flippedSignsGiveExactlyTheirShare() {
    // Of three equal scores two of eight flips are as large; a score of both signs is as large under most.
    let rows = [[1.0, 1.0], [1.0, -1.0], [1.0, 0.5]]
    let p = signFlipPValues(rows, draws: 20_000, seed: 1)
    #expect(abs(p[0] - 0.25) < 0.01)
    #expect(p[1] > 0.7)
  }

  @Test func correctedPValuesAreBenjaminiHochbergs() {
    // scipy.stats.false_discovery_control, scipy 1.16.
    let found = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.5])
    let expected = [0.025, 0.05, 0.05, 0.025, 0.5]
    for (one, two) in zip(found, expected) { #expect(abs(one - two) < 1e-12) }
    #expect(benjaminiHochberg([]).isEmpty)
  }

  @Test func aRankingHasWhatItSays() throws {
    let (model, task) = try CodeAttributionTests.study("gpt2", prompts: 12)
    let dictionary = CodeDictionary.random(features: 24, width: model.configuration.dModel, seed: 3)
    let found = try model.attributeCodes(task, HeadPathOptions(), dictionaries: [dictionary])
    let ranking = CodeRanking(
      found.attributions, metric: found.metric, headsPerLayer: model.configuration.heads, seed: 0)
    #expect(ranking.heads.count == model.configuration.headCount)
    #expect(ranking.heads.map(\.score) == ranking.heads.map(\.score).sorted(by: >))
    for head in ranking.heads {
      #expect(head.score == abs(head.attribution))
      #expect(head.interval.contains(head.attribution))
      #expect(head.ranks.lowerBound <= head.ranks.upperBound && head.ranks.lowerBound >= 1)
      #expect((0...1).contains(head.inTop) && head.qValue >= head.pValue)
      #expect(abs(head.whole - head.attribution - head.error) < 1e-9)
      #expect(!head.isInCircuit || abs(head.share) >= 0.05)
    }
    #expect(ranking.scores == CodeRanking.scores(found.attributions[0]))
    let pairs = ranking.pairs()
    #expect(pairs.count == ranking.heads.count * (ranking.heads.count - 1) / 2)
    #expect(pairs.map(\.score) == pairs.map(\.score).sorted(by: >))
  }
}
