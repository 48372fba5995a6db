// Scores of a recording against plain sums over its pairs: positions kept apart, several encoders, prompts drawn again.

import CircuitDiscovery
import Recordings
import SparseAutoencoders
import TestSupport
import Tensors
import Testing

/// A recording of random numbers: pairs of different lengths in a scrambled order, and two prompts without a partner.
struct RandomRecording {
  static let (layers, heads, width) = (2, 3, 4)
  let examples: [RecordedExample]
  /// `[example][position][head][coordinate]`, positions from the start.
  let outputs: [[[[Float]]]]

  init(seed: UInt64, pairs: Int = 9) {
    var generator = SeededGenerator(seed: seed)
    let count = 2 * pairs + 2
    var order = generator.permutation(of: count)
    let alone = [order.removeLast(), order.removeLast()]
    var examples = [RecordedExample](
      repeating: RecordedExample(prompt: "", tokens: [], isPositive: true), count: count)
    func tokens() -> [Int] { (0..<3 + generator.index(below: 3)).map { _ in generator.index(below: 50) } }
    for pair in 0..<pairs {
      let (positive, negative) = (order[2 * pair], order[2 * pair + 1])
      examples[positive] = RecordedExample(prompt: "+", tokens: tokens(), isPositive: true, pair: negative)
      examples[negative] = RecordedExample(prompt: "−", tokens: tokens(), isPositive: false, pair: positive)
    }
    examples[alone[0]] = RecordedExample(prompt: "a", tokens: tokens(), isPositive: true)
    examples[alone[1]] = RecordedExample(prompt: "b", tokens: tokens(), isPositive: false)
    self.examples = examples
    outputs = examples.map { example in
      example.tokens.map { _ in
        (0..<Self.layers * Self.heads).map { _ in (0..<Self.width).map { _ in Float(generator.normal()) } }
      }
    }
  }

  /// Writes it with every position, and reads it back.
  func recording(in folder: String) throws -> Recording {
    let writer = try RecordingWriter(
      path: folder + "/r.h5",
      description: RecordingDescription(
        task: "random", model: "none", modelSHA256: "0", layers: Self.layers, heads: Self.heads,
        dModel: Self.width, position: .each, bos: false, seed: 0),
      examples: examples)
    for (index, output) in outputs.enumerated() {
      let shape = [1, output.count, Self.layers, Self.heads, Self.width]
      let values = output.flatMap { $0.flatMap { $0 } }
      try writer.write(headOutputs: Tensor(values, shape: shape), examples: [index])
    }
    return try writer.finish()
  }

  /// The activations of one head at a position counted from the prompt's end, under `encoder(sign)`.
  func activations(_ example: Int, fromEnd offset: Int, _ head: Int, sign: Float) -> [Float] {
    let length = outputs[example].count
    return outputs[example][length - 1 - offset][head].map { max(0, sign * $0) }
  }

  var pairs: [(Int, Int)] {
    examples.indices.compactMap { index in
      examples[index].isPositive ? examples[index].pair.map { (index, $0) } : nil
    }
  }
}

/// What is positive (or, with −1, negative) in an output, as its activations.
private func encoder(_ sign: Float) -> HeadEncoder {
  { samples in Tensor(samples.values.map { max(0, sign * $0) }, shape: samples.shape) }
}

private func scoring(_ score: HeadScore) -> RankingProtocol {
  var chosen = RankingProtocol.change
  chosen.score = score
  return chosen
}

@Suite struct HeadScorerTests {
  @Test(arguments: [0, 1, 2, 3] as [UInt64])
  func pairedChangesAreMeansOverHeldOutPairsAtTheStrongestPosition(seed: UInt64) throws {
    let random = RandomRecording(seed: seed)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      let trainedOn = [[random.pairs[0].0, random.pairs[0].1], [random.pairs[1].1]]
      for score in [HeadScore.pairedActivationChange, .pairedCodeChange] {
        let ranking = try HeadRanking.rank(
          recording, encoders: [encoder(1), encoder(-1)], trainedOn: trainedOn, averaging: false,
          protocol: scoring(score))
        for head in 0..<6 {
          // The longest prompts have five tokens.
          let byPosition: [Double] = (0..<5).map { offset in
            let means = [Float(1), -1].enumerated().map { member, sign in
              var changes: [Double] = []
              for (positive, negative) in random.pairs
              where !trainedOn[member].contains(positive) && !trainedOn[member].contains(negative)
                && min(random.outputs[positive].count, random.outputs[negative].count) > offset
              {
                let (a, b) = (
                  random.activations(positive, fromEnd: offset, head, sign: sign),
                  random.activations(negative, fromEnd: offset, head, sign: sign)
                )
                func code(_ values: [Float]) -> Int {
                  values.max() == 0 ? -1 : values.firstIndex(of: values.max() ?? 0) ?? -1
                }
                changes.append(
                  score == .pairedCodeChange
                    ? (code(a) == code(b) ? 0 : 1) : Double(zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) }))
              }
              return changes.isEmpty ? 0 : changes.reduce(0, +) / Double(changes.count)
            }
            return (means[0] + means[1]) / 2
          }
          let expected = byPosition.max() ?? 0
          let found = try #require(ranking.heads.first { $0.layer * 3 + $0.head == head })
          #expect(abs(found.score - expected) < 1e-5 * max(1, expected), "\(score), head \(head)")
          #expect(found.position == -1 - (byPosition.firstIndex(of: expected) ?? 9))
        }
      }
    }
  }

  @Test func severalEncodersAreAveraged() throws {
    let random = RandomRecording(seed: 5)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      func rank(_ signs: [Float], _ score: HeadScore) throws -> HeadRanking {
        var chosen = RankingProtocol.paper
        chosen.score = score
        return try HeadRanking.rank(
          recording, encoders: signs.map(encoder), trainedOn: signs.map { _ in [] }, averaging: true,
          protocol: chosen)
      }
      for score in [HeadScore.uniqueCodes(normalised: true), .pairMentions(normalised: true, ties: .shared)] {
        let (one, other, both) = (try rank([1], score), try rank([-1], score), try rank([1, -1], score))
        for head in 0..<6 {
          let mean = (one.scores[head] + other.scores[head]) / 2
          #expect(abs(both.scores[head] - mean) < 1e-12)
        }
        func pairScores(_ ranking: HeadRanking) -> [[Int]: Double] {
          Dictionary(
            uniqueKeysWithValues: ranking.pairs.map {
              ([$0.layerA, $0.headA, $0.layerB, $0.headB], $0.score)
            })
        }
        for (pair, score) in pairScores(both) {
          let mean = ((pairScores(one)[pair] ?? -1) + (pairScores(other)[pair] ?? -1)) / 2
          #expect(score == mean)
        }
      }
    }
  }

  @Test func promptsDrawnAgainScatterAroundTheScore() throws {
    let random = RandomRecording(seed: 6, pairs: 60)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      let scorer = try HeadScorer(
        recording, encoders: [encoder(1)], trainedOn: [[]], averaging: true,
        protocol: scoring(.pairedActivationChange))
      let draws = scorer.scores(draws: 400, seed: 1)
      #expect(draws.count == 400)
      #expect(draws == scorer.scores(draws: 400, seed: 1))
      #expect(draws != scorer.scores(draws: 400, seed: 2))
      for head in 0..<6 {
        let values = draws.map { $0[head] }
        let mean = values.reduce(0, +) / 400
        let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399).squareRoot()
        // The standard error of a mean over 60 pairs, from the pairs themselves.
        let changes = random.pairs.map { positive, negative in
          zip(means(random, positive, head), means(random, negative, head))
            .reduce(0.0) { $0 + Double(abs(max(0, $1.0) - max(0, $1.1))) }
        }
        let center = changes.reduce(0, +) / 60
        let deviation = (changes.reduce(0) { $0 + ($1 - center) * ($1 - center) } / 60).squareRoot()
        #expect(abs(mean - center) < 0.02)
        #expect(abs(spread / (deviation / 60.0.squareRoot()) - 1) < 0.15)
      }
    }
  }

  private func means(_ random: RandomRecording, _ example: Int, _ head: Int) -> [Float] {
    let rows = random.outputs[example].map { $0[head] }
    return (0..<4).map { column in rows.reduce(0) { $0 + $1[column] } / Float(rows.count) }
  }

  @Test func withoutPairsTheChangeIsThatOfTheLabelsMeans() throws {
    var random = RandomRecording(seed: 7)
    random = RandomRecording(unpairing: random)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      let scorer = try HeadScorer(
        recording, encoders: [encoder(1)], trainedOn: [[]], averaging: true,
        protocol: scoring(.pairedActivationChange))
      #expect(!scorer.canDrawPrompts)
      #expect(scorer.scores(draws: 10, seed: 0).isEmpty)
      for head in 0..<6 {
        let sides = [true, false].map { label in
          let rows = random.examples.indices.filter { random.examples[$0].isPositive == label }
            .map { means(random, $0, head).map { max(0, $0) } }
          return (0..<4).map { column in rows.reduce(0) { $0 + $1[column] } / Float(rows.count) }
        }
        let expected = zip(sides[0], sides[1]).reduce(0) { $0 + abs($1.0 - $1.1) }
        #expect(abs(scorer.scores[head] - Double(expected)) < 1e-5)
      }
      let codes = try HeadScorer(
        recording, encoders: [encoder(1)], trainedOn: [[]], averaging: true,
        protocol: scoring(.uniqueCodes(normalised: false)))
      #expect(codes.canDrawPrompts && codes.scores(draws: 10, seed: 0).count == 10)
    }
  }

  @Test func outputsWithoutACodeAreCounted() throws {
    let random = RandomRecording(seed: 9)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      func share(_ chosen: RankingProtocol) throws -> Double? {
        try HeadScorer(
          recording, encoders: [encoder(1)], trainedOn: [[]], averaging: false, protocol: chosen
        ).shareWithoutCode
      }
      let outputs = random.outputs.flatMap { $0.flatMap { $0 } }
      let silent = outputs.count { $0.allSatisfy { $0 <= 0 } }
      #expect(silent > 0)
      #expect(try share(.change) == Double(silent) / Double(outputs.count))
      #expect(try share(.paper) == nil)
    }
  }

  @Test func nothingHeldOutIsRefused() throws {
    let random = RandomRecording(seed: 8, pairs: 2)
    try withTemporaryFolder { folder in
      let recording = try random.recording(in: folder)
      let half = random.pairs.map(\.0)
      #expect(throws: RankingError.nothingHeldOut(examples: 6)) {
        try HeadScorer(
          recording, encoders: [encoder(1)], trainedOn: [half], averaging: true, protocol: .change)
      }
      // One example of each label is left, which is enough for codes.
      _ = try HeadScorer(
        recording, encoders: [encoder(1)], trainedOn: [half], averaging: true,
        protocol: scoring(.uniqueCodes(normalised: false)))
    }
  }
}

extension RandomRecording {
  /// The same prompts without partners.
  init(unpairing other: RandomRecording) {
    examples = other.examples.map {
      RecordedExample(prompt: $0.prompt, tokens: $0.tokens, isPositive: $0.isPositive)
    }
    outputs = other.outputs
  }
}
