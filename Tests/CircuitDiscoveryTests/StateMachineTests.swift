// State machines as tasks, and codes of a model that reads them.

import CausalMethods
import Files
import Tensors
import TestSupport
import Testing
import Tokenizers
import Transformers

@testable import CircuitDiscovery

@Suite struct StateMachineTests {
  private let source = StateMachineSource(states: 30, edges: 3, walk: 4...6, seed: 7)

  @Test func everyStateHasAsManySuccessorsAllDifferent() {
    let machine = source.machine
    #expect(machine.successors.count == 30)
    for next in machine.successors {
      #expect(next.count == 3 && Set(next).count == 3 && next.allSatisfy { (0..<30).contains($0) })
    }
    #expect(machine == StateMachine(source))
    var other = source
    other.seed = 8
    #expect(other.machine.successors != machine.successors)
    #expect(machine.name(of: 7) == ["0", "7"] && machine.state(named: ["2", "9"]) == 29)
    #expect(machine.state(named: ["3", "0"]) == nil && machine.state(named: ["x", "0"]) == nil)
  }

  private func spec(_ fields: String) throws -> TaskSpec {
    try TaskSpec(
      parsing: #"{"name": "walks", "summary": "walks", "state_machine": {"# + fields + "}}", path: "task.json"
    )
  }

  @Test func promptsAreWalksAndNegativesEndElsewhere() throws {
    let task = try spec(#""states": 30, "edges": 3, "walk": [4, 6], "seed": 7"#)
    let words = try WordLevelDescription.covering([task])
    let tokenizer = ModelTokenizer(try Tokenizer(words), label: "digits")
    let prompts = try task.prompts(
      examples: 50, seed: 1, limits: PromptLimits(tokenizer: tokenizer, vocabularySize: words.words.count)
    ).prompts
    #expect(prompts.count == 100)
    let machine = source.machine
    for prompt in prompts {
      guard case .text(let text) = prompt.content else { Issue.record("no text"); continue }
      let digits = text.split(separator: " ").map(String.init)
      let walk = stride(from: 0, to: digits.count, by: 2).compactMap {
        machine.state(named: Array(digits[$0..<$0 + 2]))
      }
      #expect(walk.count * 2 == digits.count && (4...6).contains(walk.count))
      for (state, next) in zip(walk, walk.dropFirst()) { #expect(machine.successors[state].contains(next)) }
      let right = try machine.firstDigits(after: #require(walk.last))
      #expect(Set(prompt.answers) == Set(right.map { .text(" " + $0) }))
      #expect(Set(prompt.wrong).isDisjoint(with: prompt.answers))
    }
    for pair in stride(from: 0, to: prompts.count, by: 2) {
      #expect(prompts[pair].isPositive && !prompts[pair + 1].isPositive)
      #expect(!Set(prompts[pair + 1].answers).isSubset(of: prompts[pair].answers))
    }
  }

  @Test(arguments: [
    #""states": 2"#, #""states": 30, "edges": 30"#, #""states": 30, "edges": 1"#, #""walk": [1, 4]"#,
    #""walk": [9, 4]"#, #""walk": [4, 100000]"#, #""state": 30"#, #""states": "many""#,
  ])
  func badMachinesAreRefused(fields: String) {
    #expect(throws: TaskError.self) { try spec(fields) }
  }

  @Test func walksInTokensAreLabelledWhereNamesEnd() {
    let machine = TokenizedStateMachine(source.machine, tokens: Array(10..<20), beginning: 3)
    #expect(machine.tokens(of: [4, 27]) == [3, 10, 14, 12, 17])
    let labels = machine.labels(of: [[4, 27], [27, 4]])
    #expect(labels.positions[4] == [2, 9] && labels.positions[27] == [4, 7])
    #expect(labels.names[4] == "state 04")
  }

  @Test func transitionAccuracyIsTheShareOfLikelyStatesThatMayFollow() {
    let machine = TokenizedStateMachine(source.machine, tokens: Array(0..<10), beginning: nil)
    var probabilities = [Double](repeating: 0, count: 30)
    let next = machine.machine.successors[5]
    let wrong = (0..<30).first { !next.contains($0) } ?? 0
    (probabilities[next[0]], probabilities[next[1]], probabilities[wrong]) = (0.5, 0.2, 0.3)
    #expect(abs(machine.transitionAccuracy(probabilities, after: 5) - 2 / 3) < 1e-12)
  }

  @Test func divergencesOfTheSameAndOfDisjointDistributions() {
    #expect(jensenShannon([0.3, 0.7], [0.3, 0.7]) == 0)
    #expect(abs(jensenShannon([1, 0], [0, 1]) - logarithm(2)) < 1e-12)
  }
}

@Suite struct CodeAddressTests {
  @Test(arguments: ["2.3:41", "0.mlp:0", "11.11:9999"])
  func namesAreReadAndWrittenBothWays(name: String) {
    #expect(CodeAddress(name)?.description == name)
  }

  @Test(arguments: ["", "2.3", "2:3", "2.3:-1", "-2.3:1", "2.mlps:1", "2.3:4:5", "a.b:c", "2.3:x"])
  func otherNamesAreRefused(name: String) {
    #expect(CodeAddress(name) == nil)
  }
}

@Suite struct CodeSearchTests {
  /// An untrained model with codebooks on 2 layers, 2 heads and their MLPs.
  private func model(active: Int = 2) throws -> Transformer {
    var blueprint = TransformerBlueprint(
      vocabulary: 20, context: 16, layers: 2, heads: 2, dModel: 16, mlpWidth: 32)
    blueprint.configuration.codebooks = CodebookConfiguration(
      places: [.heads, .mlp], codes: 12, active: active)
    let (layout, values) = try blueprint.initialParameters(seed: 3)
    return layout.transformer(values)
  }

  private let prompts = [[1, 5, 9, 2], [7, 7, 3, 11, 19], [4, 5], [6, 5, 5]]

  @Test func aTraceHasTheCodesOfEveryPosition() throws {
    let model = try model()
    let trace = try CodeTrace(model, prompts)
    #expect(trace.positions == 14 && trace.books.count == 6)
    #expect(trace.place(of: 9).prompt == 2 && trace.place(of: 9).position == 0)
    let run = try model.run(TokenBatch([prompts[1]]), reading: [.headCodes(layer: 1), .mlpCodes(layer: 0)])
    for position in 0..<5 {
      for place in 0..<2 {
        let head = try #require(trace.books.firstIndex(of: CodebookAddress(layer: 1, head: 1)))
        let numbers = Array(trace.numbers(book: head, at: 4 + position))
        #expect(numbers[place] == Int32(run[.headCodes(layer: 1)][0, position, 1, place]))
        let mlp = try #require(trace.books.firstIndex(of: CodebookAddress(layer: 0, head: nil)))
        #expect(
          trace.numbers(book: mlp, at: 4 + position).first == Int32(run[.mlpCodes(layer: 0)][0, position, 0]))
      }
    }
    let everywhere = [Bool](repeating: true, count: trace.positions)
    #expect(trace.uses(book: 0, where: everywhere).reduce(0, +) == 28)
  }

  @Test func theBestCodeOfALabelIsChosenOnHalfAndMeasuredOnTheOther() throws {
    let model = try model(active: 1)
    // Prompts 0 and 2 are chosen on, 1 and 3 measured: token 5 stands at 1, 10, and 12, 13.
    let trace = try CodeTrace(model, prompts)
    var labels = PositionLabels()
    labels.add("five", at: [1, 10, 12, 13])
    labels.add("never", at: [])
    let search = CodeSearch(trace, labels)
    let matches = search.matches()
    let code = try #require(matches[0].code)
    let active = Set(trace.positions(of: code))
    let (measured, labelled) = (active.filter { (4..<9).contains($0) || $0 > 10 }, Set([12, 13]))
    #expect(matches[0].occurrences == 2)
    #expect(matches[0].match.recall == Double(measured.intersection(labelled).count) / 2)
    if !measured.isEmpty {
      #expect(
        matches[0].match.precision
          == Double(measured.intersection(labelled).count) / Double(measured.count))
    }
    #expect(matches[1].code == nil && matches[1].match.recall == 0)
    let compared = try search.addingNeurons(of: model, to: matches)
    #expect(compared[0].match.recall == 0 || compared[0].neuron != nil)
    #expect((compared[0].neuronPrecision ?? 0) <= 1)
  }

  @Test func forcedCodesAreTheOnlyOnesActive() throws {
    let model = try model()
    let code = CodeAddress(book: CodebookAddress(layer: 1, head: nil), number: 7)
    let edits = ForcedCodes([code]).edits(at: [2])
    let run = try model.run(
      TokenBatch([[1, 5, 9, 2]]), reading: [.block(layer: 1, .rawMLPOut), .mlpCodes(layer: 1)],
      applying: edits)
    let table = try #require(model.weights.blocks[1].mlpCodes)
    for column in 0..<16 {
      #expect(run[.block(layer: 1, .rawMLPOut)][0, 2, column] == table[7, column])
    }
    let plain = try model.run(TokenBatch([[1, 5, 9, 2]]), reading: [.mlpCodes(layer: 1)])
    #expect(run[.mlpCodes(layer: 1)].row(0).row(1).values == plain[.mlpCodes(layer: 1)].row(0).row(1).values)
  }

  @Test func anEffectIsThatOfForcingTheCode() throws {
    let model = try model()
    let code = CodeAddress(book: CodebookAddress(layer: 0, head: 1), number: 3)
    let effect = try codeEffects(of: [code], on: [[1, 5, 9], [4, 2, 2]], model)[0]
    let batch = TokenBatch([[1, 5, 9], [4, 2, 2]])
    let (before, after) = (
      try model.nextTokenLogits(batch),
      try model.nextTokenLogits(batch, applying: ForcedCodes([code]).edits(at: [2, 2]))
    )
    let divergence = (0..<2).reduce(0.0) { sum, prompt in
      let (p, q) = (logSoftmax(before.row(prompt)), logSoftmax(after.row(prompt)))
      return sum + zip(p, q).reduce(0) { $0 + exponential($1.0) * ($1.0 - $1.1) } / 2
    }
    #expect(abs(effect.divergence - divergence) < 1e-9)
    #expect(effect.raised.change >= 0 && effect.lowered.change <= 0)
  }
}

@Suite struct CodePurityTests {
  @Test func pureCodesAreThoseOfOneInput() throws {
    var blueprint = TransformerBlueprint(
      vocabulary: 20, context: 16, layers: 2, heads: 2, dModel: 16, mlpWidth: 32)
    blueprint.configuration.codebooks = CodebookConfiguration(places: [.heads, .mlp], codes: 12, active: 1)
    let (layout, values) = try blueprint.initialParameters(seed: 3)
    let model = layout.transformer(values)
    let source = StateMachineSource(states: 30, edges: 3, walk: 4...6, seed: 7)
    let machine = TokenizedStateMachine(source.machine, tokens: Array(0..<10), beginning: 12)
    let purity = try machine.purity(model)
    #expect(purity.count == 12)
    for entry in purity.filter({ $0.digits == 2 }) {
      #expect(entry.inputs == 30)
      var states: [Int: Int] = [:]
      for state in 0..<30 {
        let codes = try machine.codes(of: state, model)
        states[try #require(codes.numbers[entry.book]?.first), default: 0] += 1
      }
      #expect(entry.used == states.count && entry.pure == states.values.count { $0 == 1 })
    }
    let longer = try #require(purity.last)
    #expect(longer.digits == 3 && (30...90).contains(longer.inputs) && longer.used <= 12)
  }
}

@Suite struct NativeCodeTests {
  @Test(arguments: [1, 2])
  func nativeCodesSumToTheWholeAttributionOfTheirHead(active: Int) throws {
    var blueprint = TransformerBlueprint(
      vocabulary: 20, context: 16, layers: 2, heads: 2, dModel: 16, mlpWidth: 32)
    blueprint.configuration.codebooks = CodebookConfiguration(places: [.heads], codes: 12, active: active)
    let (layout, values) = try blueprint.initialParameters(seed: 3)
    let model = layout.transformer(values)
    let task = CausalTask(
      clean: [[1, 5, 9, 2], [7, 7, 3, 11], [4, 5, 8]],
      corrupted: [[1, 6, 9, 2], [7, 8, 3, 12], [3, 5, 8]],
      others: [], questions: [3, 3, 2].map { Question(position: $0, right: [1], wrong: [2]) },
      metric: .logitDifference)
    let found = try #require(try model.attributeNativeCodes(task, HeadPathOptions()))
    var whole = [Double](repeating: 0, count: 4)
    _ = try model.walkHeadPaths(task, HeadPathOptions()) { indices, path in
      let attention = model.weights.blocks[path.layer].attention
      let (own, other) = (
        try attention.headResults(path.clean, heads: 2), try attention.headResults(path.replacement, heads: 2)
      )
      for row in 0..<path.gradient.shape[0] {
        for head in 0..<2 {
          for column in 0..<16 {
            whole[path.layer * 2 + head] +=
              Double((other[row, head, column] - own[row, head, column]) * path.gradient[row, column]) / 3
          }
        }
      }
    }
    for head in 0..<4 { #expect(abs(found.heads[head] - whole[head]) < 1e-4) }
    #expect(found.codes.allSatisfy { $0.uses + $0.corruptedUses > 0 && $0.code.book.head != nil })
    var mean = HeadPathOptions()
    mean.replacement = .zero
    #expect(try model.attributeNativeCodes(task, mean) == nil)
  }
}
