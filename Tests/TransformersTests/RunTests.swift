// What must hold of any model: sums of heads, independence of batch and padding, edits, and what is refused.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct RunTests {
  static let variants: [TestModel] = [
    TestModel(),
    {
      var model = TestModel()
      model.options["attn_only"] = .boolean(true)
      model.options["normalization_type"] = nil
      return model
    }(),
    {
      var model = TestModel()
      model.options["attention_dir"] = .string("bidirectional")
      model.options["act_fn"] = .string("relu")
      model.options["positional_embedding_type"] = .string("none")
      model.options["normalization_type"] = .string("RMS")
      return model
    }(),
  ]

  static let lengths = [7, 1, 12, 7, 3]

  private func presentPoints(_ model: Transformer) -> Set<HookPoint> {
    Set(
      HookPoint.all(layers: model.configuration.layers).filter { point in
        (try? model.run(TokenBatch([[1, 2]]), reading: [point])) != nil
      })
  }

  @Test(arguments: variants.indices)
  func resultsAndBiasSumToAttentionOut(variant: Int) throws {
    let model = try Self.variants[variant].load()
    let batch = TokenBatch(randomPrompts(lengths: Self.lengths, vocabulary: 30, seed: 3))
    for layer in 0..<3 {
      let run = try model.run(batch, reading: [.result(layer: layer), .attentionOut(layer: layer)])
      let (results, out) = (run[.result(layer: layer)], run[.attentionOut(layer: layer)])
      let bias = try #require(model.weights.blocks[layer].attention.output.bias)
      for (prompt, length) in batch.lengths.enumerated() {
        for position in 0..<length {
          for column in 0..<24 {
            let sum = (0..<4).reduce(bias[column]) { $0 + results[prompt, position, $1, column] }
            #expect(abs(sum - out[prompt, position, column]) < 1e-5)
          }
        }
      }
    }
  }

  @Test(arguments: variants.indices)
  func aPromptDoesNotFeelItsBatch(variant: Int) throws {
    let model = try Self.variants[variant].load()
    let prompts = randomPrompts(
      lengths: (0..<32).map { 1 + ($0 * 7) % 13 }, vocabulary: 30, seed: 4)
    let points = presentPoints(model)
    let together = try model.run(TokenBatch(prompts), reading: points)
    for (index, prompt) in prompts.enumerated() {
      let alone = try model.run(TokenBatch([prompt]), reading: points)
      for point in points {
        let expected = alone[point]
        let found = together[point].row(index)
        // Without normalisation values grow beyond one; rounding grows with them.
        let size = max(1, expected.values.filter(\.isFinite).map { abs($0) }.max() ?? 0)
        // Positions are axis 0 of one prompt's value, or axes 1 and 2 of its scores and pattern.
        if [.scores, .pattern].contains(point.blockPoint) {
          for head in 0..<4 {
            for query in prompt.indices {
              for key in prompt.indices {
                let (a, b) = (expected[0, head, query, key], found[head, query, key])
                #expect(a == b || abs(a - b) < 1e-5 * size, "\(point)")
              }
            }
          }
        } else {
          let part = found.rows(0..<prompt.count)
          #expect(
            largestDifference(part, expected.row(0)) < 1e-5 * size, "\(point) of prompt \(index)")
        }
      }
    }
  }

  @Test func laterTokensAreNotSeen() throws {
    let model = try TestModel().load()
    let all = try model.run(TokenBatch([[3, 1, 4, 1, 5, 9]]), reading: [.logits])[.logits]
    let start = try model.run(TokenBatch([[3, 1, 4]]), reading: [.logits])[.logits]
    #expect(largestDifference(all.row(0).rows(0..<3), start.row(0)) < 1e-5)
  }

  @Test func whatIsReadDoesNotDependOnWhatElseIsRead() throws {
    let model = try TestModel().load()
    let batch = TokenBatch(randomPrompts(lengths: Self.lengths, vocabulary: 30, seed: 5))
    let points = presentPoints(model)
    let together = try model.run(batch, reading: points)
    for point in points {
      let alone = try model.run(batch, reading: [point])
      #expect(alone.values.keys.elementsEqual([point]))
      let pairs = zip(alone[point].values, together[point].values)
      #expect(pairs.allSatisfy { $0 == $1 || abs($0 - $1) < 1e-5 }, "\(point)")
    }
  }

  @Test func observersSeeTheOrderOfComputation() throws {
    let model = try TestModel().load()
    var seen: [HookPoint] = []
    try model.run(TokenBatch([[1, 2, 3]]), observing: presentPoints(model)) { point, _ in seen.append(point) }
    #expect(seen == HookPoint.all(layers: 3).filter(presentPoints(model).contains))
    #expect(
      Set(HookPoint.all(layers: 3).compactMap(\.blockPoint)).subtracting(seen.compactMap(\.blockPoint)) == [
        .routerLogits, .expertWeights, .headCodesInput, .headCodes, .mlpCodesInput, .mlpCodes,
      ])
  }

  @Test func replacingAValueByItselfChangesNothing() throws {
    let model = try TestModel().load()
    let batch = TokenBatch(randomPrompts(lengths: Self.lengths, vocabulary: 30, seed: 6))
    let points = presentPoints(model).subtracting([.logits])
    let clean = try model.run(batch, reading: points.union([.logits]))
    for point in points {
      let edited = try model.run(
        batch, reading: [.logits], applying: [point: .replacing(with: clean[point])])
      #expect(largestDifference(edited[.logits], clean[.logits]) < 1e-4, "\(point)")
    }
  }

  @Test func zeroingAHeadTakesItsResultAway() throws {
    let model = try TestModel().load()
    let batch = TokenBatch(randomPrompts(lengths: [6, 4], vocabulary: 30, seed: 7))
    let out = HookPoint.attentionOut(layer: 1)
    let clean = try model.run(batch, reading: [.result(layer: 1), out])
    for point in [HookPoint.z(layer: 1), .result(layer: 1)] {
      let ablated = try model.run(batch, reading: [out], applying: [point: .zeroingHead(2)])[out]
      for column in 0..<24 {
        let expected = clean[out][1, 3, column] - clean[.result(layer: 1)][1, 3, 2, column]
        #expect(abs(ablated[1, 3, column] - expected) < 1e-5)
      }
    }
  }

  @Test func headOutputsEqualResults() throws {
    for (index, variant) in Self.variants.enumerated() {
      let model = try variant.load()
      var prompts = randomPrompts(lengths: [9, 9, 4, 9, 12, 1, 4], vocabulary: 30, seed: 8)
      // Common beginnings, one prompt that begins another, and one that is said twice.
      for prompt in [1, 3, 4] { prompts[prompt].replaceSubrange(0..<5, with: prompts[0][0..<5]) }
      prompts.append(Array(prompts[4].prefix(6)))
      prompts.append(prompts[2])
      let batch = TokenBatch(prompts)
      let run = try model.run(batch, reading: Set((0..<3).map { .result(layer: $0) }))
      let last = prompts.map { $0.count - 1 }
      let means = try model.headOutputs(of: batch, pooling: .mean(excludingFirst: false))
      let meansWithoutFirst = try model.headOutputs(of: batch, pooling: .mean(excludingFirst: true))
      let ends = try model.headOutputs(of: batch, pooling: .last)
      let each = try model.headOutputs(of: batch, pooling: .each)
      #expect(try model.headOutputs(of: batch, pooling: .at(last)) == ends)
      for (prompt, length) in batch.lengths.enumerated() {
        for layer in 0..<3 {
          let results = run[.result(layer: layer)]
          for (head, column) in [(0, 0), (1, 7), (3, 23)] {
            let column = (0..<length).map { results[prompt, $0, head, column] } + [Float(column)]
            let values = column.dropLast()
            let place = Int(column.last ?? 0)
            let mean = values.reduce(0, +) / Float(length)
            let counted = length > 1 ? values.dropFirst() : values
            let meanWithoutFirst = counted.reduce(0, +) / Float(counted.count)
            #expect(abs(means[prompt, layer, head, place] - mean) < 1e-5, "variant \(index)")
            #expect(abs(meansWithoutFirst[prompt, layer, head, place] - meanWithoutFirst) < 1e-5)
            #expect(abs(ends[prompt, layer, head, place] - values[length - 1]) < 1e-5)
            for position in 0..<batch.width {
              let expected = position < length ? values[position] : 0
              #expect(abs(each[prompt, position, layer, head, place] - expected) < 1e-5)
            }
          }
        }
      }
    }
  }

  @Test func prefixesAreComputedOnce() {
    let batch = TokenBatch([[1, 2, 3, 4], [1, 2, 5], [1, 2, 3, 4], [7]])
    let (layout, prompts) = SequenceLayout.sharingPrefixes(batch)
    #expect(layout.rowCount == 6)
    #expect(prompts == [0, 2, 1, 3])
    #expect(layout.sequences.map(\.firstOwned) == [0, 4, 2, 0])
  }

  @Test func promptsThatTheModelCannotRun() throws {
    let model = try TestModel().load()
    let long = [Int](repeating: 1, count: 41)
    #expect(throws: TransformerError.promptTooLong(prompt: 1, length: 41, context: 40)) {
      try model.run(TokenBatch([[1], long]), reading: [.logits])
    }
    #expect(throws: TransformerError.tokenOutOfRange(prompt: 0, position: 1, id: 30, vocabulary: 30)) {
      try model.headOutputs(of: TokenBatch([[1, 30]]), pooling: .last)
    }
    #expect(throws: TransformerError.tokenOutOfRange(prompt: 0, position: 0, id: -1, vocabulary: 30)) {
      try model.run(TokenBatch([[-1]]), reading: [.logits])
    }
    #expect(throws: TransformerError.emptyPrompt(prompt: 1)) {
      try model.run(TokenBatch([[1], []]), reading: [.logits])
    }
    #expect(throws: TransformerError.vocabularyTooLarge(tokens: 31, embeddingRows: 30)) {
      try model.checkVocabulary(of: 31)
    }
  }

  @Test func hookPointsThatTheModelLacks() throws {
    let model = try Self.variants[1].load()
    for point in [HookPoint.mlpOut(layer: 0), .residMid(layer: 0), .finalNorm, .z(layer: 3)] {
      #expect(throws: TransformerError.self, "\(point)") {
        try model.run(TokenBatch([[1]]), reading: [point])
      }
      #expect(throws: TransformerError.self, "\(point)") {
        try model.run(TokenBatch([[1]]), reading: [.logits], applying: [point: .zeroing])
      }
    }
  }
}

@Suite struct TokenBatchTests {
  @Test func groupsHoldEveryPromptOnceAndLikeLengths() {
    let prompts = randomPrompts(
      lengths: (0..<50).map { 1 + ($0 * 13) % 17 }, vocabulary: 9, seed: 2)
    let groups = TokenBatch.groups(of: prompts, tokenLimit: 60)
    #expect(groups.flatMap(\.indices).sorted() == Array(0..<50))
    for group in groups {
      #expect(group.batch.count * group.batch.width <= 60)
      for (place, index) in group.indices.enumerated() {
        #expect(group.batch.prompt(place) == prompts[index])
      }
    }
    #expect(TokenBatch.groups(of: [[1, 2, 3]], tokenLimit: 1).count == 1)
  }
}

@Suite struct HookPointTests {
  @Test func namesAreReadAndWrittenBothWays() throws {
    for point in HookPoint.all(layers: 3) {
      #expect(HookPoint(point.description) == point)
      let data = try JSONEncoder().encode([point])
      #expect(try JSONDecoder().decode([HookPoint].self, from: data) == [point])
    }
    #expect(HookPoint.z(layer: 3).description == "blocks.3.attn.hook_z")
    #expect(Set(HookPoint.all(layers: 3).map(\.order)).count == HookPoint.all(layers: 3).count)
  }

  @Test(arguments: ["blocks.3.attn.hook_q ", "blocks.03.hook_resid_pre", "blocks.-1.hook_resid_pre", "z", ""])
  func otherNamesAreRefused(name: String) {
    #expect(HookPoint(name) == nil)
  }

  @Test func aLayerBeyondTheLastIsUnknown() {
    #expect(throws: TransformerError.unknownHookPoint("blocks.2.hook_resid_pre", layers: 2)) {
      try HookPoint(name: "blocks.2.hook_resid_pre", layers: 2)
    }
  }
}
