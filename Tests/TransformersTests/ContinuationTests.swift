// Prompts that go on in several ways at once: each continuation has the values and gradients of a run of its own, and
// metrics of answers of several tokens have the derivatives that they claim.

import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct ContinuationTests {
  private static let golden = packageFolder + "/Tests/TransformersTests/Golden/"
  static let decoders = MoreFamilyTests.secondNames.filter { !["bert", "roberta"].contains($0) }

  /// All angles of one model are those of its longest text, past two tokens or not: there the second prompt, which is of
  /// two, is not what it is alone.
  private func isAsAlone(_ prompt: Int, _ name: String) -> Bool {
    name != "phi3-longrope-long" || prompt == 0
  }

  private let prompts = [[3, 4, 5], [6, 7]]
  private let questions = [
    Question(position: 2, right: [[8, 9, 10]], wrong: [[8, 11], [11, 9]]),
    Question(position: 1, right: [[12], [5, 3, 4]], wrong: [[5, 3, 9]]),
  ]

  private var batch: TokenBatch { TokenBatch(prompts, continuedBy: questions.map(\.continuations)) }

  @Test func continuationsAreReadOnce() {
    #expect(questions[0].continuations == [[8, 9], [11]])
    #expect(questions[1].continuations == [[5, 3]])
    #expect(Question(position: 0, right: [1, 2], wrong: [3]).continuations.isEmpty)
    #expect(batch.lengths == [6, 4] && batch.layout.positions == [0, 1, 2, 3, 4, 3, 0, 1, 2, 3])
    #expect(batch.repeated(2).lengths == [6, 4, 6, 4])
    #expect(batch.repeated(2).layout.positions == batch.layout.positions + batch.layout.positions)
  }

  /// Learned, rotary and ALiBi positions, windows, sinks, experts: the sums are those of runs of prompt and answer alone.
  @Test(arguments: decoders)
  func metricsAreThoseOfSeparateRuns(name: String) throws {
    let model = try Transformer(folder: Self.golden + "second/" + name)
    let found = try model.values(of: LogitDifference(questions), batch)
    let losses = try model.values(of: AnswerLoss(questions), batch)
    let probabilities = try model.values(of: ProbabilityDifference(questions), batch)
    for (prompt, question) in questions.enumerated() where isAsAlone(prompt, name) {
      let right = try model.logProbabilities(of: question.right, after: prompts[prompt])
      let wrong = try model.logProbabilities(of: question.wrong, after: prompts[prompt])
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
      #expect(abs(found[prompt] - (mean(right) - mean(wrong))) < 1e-4, "\(name)")
      #expect(abs(losses[prompt] + mean(right)) < 1e-4, "\(name)")
      let difference = right.reduce(0) { $0 + exp($1) } - wrong.reduce(0) { $0 + exp($1) }
      #expect(abs(probabilities[prompt] - difference) < 1e-5, "\(name)")
    }
  }

  /// A prompt's own positions have the sum of the gradients of runs of prompt and answer alone, and what an answer adds has
  /// its own.
  @Test(arguments: decoders)
  func gradientsAreThoseOfSeparateRuns(name: String) throws {
    let model = try Transformer(folder: Self.golden + "second/" + name)
    let point = HookPoint.residPre(layer: 0)
    let joint = try model.gradients(of: LogitDifference(questions), batch, at: [point])
    for (prompt, question) in questions.enumerated() where isAsAlone(prompt, name) {
      let width = model.configuration.dModel
      var expected = [Float](repeating: 0, count: prompts[prompt].count * width)
      for (answers, sign) in [(question.right, -1.0), (question.wrong, 1.0)] {
        for answer in answers {
          let alone = Question(position: question.position, right: [answer], wrong: [])
          let run = try model.gradients(
            of: AnswerLoss([alone]), TokenBatch([prompts[prompt] + answer.dropLast()]), at: [point])
          let values = run.gradients[point].values
          for index in expected.indices {
            expected[index] += Float(sign / Double(answers.count)) * values[index]
          }
        }
      }
      let found = joint.gradients[point].row(prompt).values
      let size = expected.map(\.magnitude).max() ?? 1
      for index in expected.indices {
        #expect(abs(found[index] - expected[index]) < 1e-4 * max(size, 0.01), "\(name), prompt \(prompt)")
      }
    }
  }

  /// Where patterns are looked at, they are made by another way: continuations give each other nothing there either.
  @Test(arguments: ["gpt2", "gemma2", "gpt_oss", "bloom"])
  func continuationsDoNotSeeEachOther(name: String) throws {
    let model = try Transformer(folder: Self.golden + "second/" + name)
    let points = Set((0..<model.configuration.layers).map { HookPoint.pattern(layer: $0) })
    let run = try model.run(batch, reading: points.union([.logits]))
    for point in points {
      let pattern = run[point]
      for head in 0..<model.configuration.heads {
        #expect(pattern[0, head, 5, 3] < 1e-30 && pattern[0, head, 5, 4] < 1e-30)
        #expect(pattern[0, head, 4, 5] == 0 && pattern[0, head, 3, 5] == 0)
        let sum = (0..<6).reduce(Float(0)) { $0 + pattern[0, head, 5, $1] }
        #expect(model.weights.blocks[0].attention.sinks != nil || abs(sum - 1) < 1e-5)
      }
    }
    let plain = try model.run(batch, reading: [.logits])
    #expect(largestDifference(run[.logits], plain[.logits]) < 1e-4)
  }

  @Test func modelsThatLookBothWaysRefuse() throws {
    let model = try Transformer(folder: Self.golden + "second/bert")
    #expect(throws: TransformerError.continuationsBothWays(prompt: 0)) {
      try model.values(of: LogitDifference(questions), batch)
    }
  }

  @Test func contextsCountTheLongestContinuation() throws {
    let model = try Transformer(folder: Self.golden + "second/gpt2")
    let prompt = [Int](repeating: 1, count: model.configuration.context - 2)
    let fits = TokenBatch([prompt], continuedBy: [[[2, 3], [4, 5], [6, 7]]])
    _ = try model.nextTokenLogits(fits)
    #expect(
      throws: TransformerError.promptTooLong(
        prompt: 0, length: model.configuration.context + 1, context: model.configuration.context)
    ) { try model.nextTokenLogits(TokenBatch([prompt], continuedBy: [[[2, 3, 4]]])) }
  }

  /// Derivatives against finite differences, for each kind of metric and for answers with shared beginnings.
  @Test func derivativesEqualFiniteDifferences() {
    let width = 13
    let led = Question(position: 3, right: [[8, 9, 10], [2]], wrong: [[8, 11], [11, 9]], lead: [7, 4])
    let metrics: [any LogitMetric] = [
      LogitDifference([led]), ProbabilityDifference([led]), AnswerLoss([led]),
      LogitDifference(questions).selecting([1]),
    ]
    for metric in metrics {
      let positions = metric.positions(ofPrompt: 0)
      #expect(positions == positions.sorted() && Set(positions).count == positions.count)
      var generator = SeededGenerator(seed: 5)
      let logits = Tensor(
        (0..<positions.count * width).map { _ in Float(generator.normal()) }, shape: [positions.count, width])
      var slopes = Tensor(zeros: logits.shape)
      _ = metric.evaluate(prompt: 0, logits: logits, gradient: &slopes)
      for index in 0..<logits.count {
        func moved(_ step: Float) -> Double {
          var (other, ignored) = (logits, Tensor(zeros: logits.shape))
          other.withMutableValues { $0[index] += step }
          return metric.evaluate(prompt: 0, logits: other, gradient: &ignored)
        }
        let measured = (moved(1 / 64) - moved(-1 / 64)) * 32
        #expect(abs(measured - Double(slopes.values[index])) < 1e-4, "\(type(of: metric)), \(index)")
      }
    }
  }

  /// With answers of one token nothing but their logits counts, exactly.
  @Test func answersOfOneTokenAreDifferencesOfLogits() {
    let question = Question(position: 1, right: [2, 5], wrong: [3])
    let logits = Tensor([0.5, 1, 2.25, -1, 0.125, 3.5, -2], shape: [1, 7])
    var slopes = Tensor(zeros: [1, 7])
    let metric = LogitDifference([question])
    #expect(metric.positions(ofPrompt: 0) == [1])
    #expect(metric.evaluate(prompt: 0, logits: logits, gradient: &slopes) == 0.5 * 2.25 + 0.5 * 3.5 + 1)
    #expect(slopes.values == [0, 0, 0.5, -1, 0, 0.5, 0])
    let accuracy = AnswerAccuracy([question, Question(position: 0, right: [[5, 1]], wrong: [])])
    #expect(accuracy.evaluate(prompt: 0, logits: logits, gradient: &slopes) == 1)
    let rows = Tensor([0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0], shape: [2, 7])
    var more = Tensor(zeros: [2, 7])
    #expect(accuracy.evaluate(prompt: 1, logits: rows, gradient: &more) == 0)
    // What all answers begin with cancels in a difference, and counts in a loss.
    let led = Question(position: 4, right: [[1]], wrong: [[2]], lead: [3])
    #expect(LogitDifference([led]).positions(ofPrompt: 0) == [4])
    #expect(AnswerLoss([led]).positions(ofPrompt: 0) == [3, 4])
  }
}
