// Prompts of the bundled tasks under a word-level vocabulary: what a positive, its negative and its answers are.

import CircuitDiscovery
import Files
import TestSupport
import Testing

@Suite struct PromptGenerationTests {
  static let library = TaskLibrary(folder: packageFolder + "/Circuits")

  private func generated(
    _ name: String, examples: Int = 120, seed: UInt64 = 1
  ) throws -> (prompts: [Prompt], set: PromptSet, tokenizer: WordTokenizer) {
    let task = try Self.library.task(name)
    let tokenizer = WordTokenizer(task: task)
    let limits = PromptLimits(tokenizer: tokenizer, vocabularySize: tokenizer.vocabulary.count + 1)
    let result = try task.prompts(examples: examples, seed: seed, limits: limits)
    #expect(result.dropped.isEmpty)
    #expect(result.duplicates == 0)
    let set = try task.promptSet(examples: examples, seed: seed, limits: limits)
    return (result.prompts, set, tokenizer)
  }

  @Test(arguments: ["ioi", "greater-than", "docstring", "induction"])
  func everyTaskGivesPairsOfEqualLength(name: String) throws {
    let (_, set, _) = try generated(name)
    #expect(set.prompts.count == 240)
    #expect(set.pairs.count == 120)
    for (positive, negative) in set.pairs {
      let (a, b) = (set.prompts[positive], set.prompts[negative])
      #expect(a.tokens.count == b.tokens.count)
      #expect(a.tokens != b.tokens)
      #expect(!a.answers.isEmpty && !a.wrong.isEmpty)
      #expect(Set(a.answers).isDisjoint(with: a.wrong))
      #expect(!a.tokens.contains(0) && !b.tokens.contains(0))
      #expect(a.positions == b.positions)
    }
  }

  @Test(arguments: ["ioi", "greater-than", "docstring", "induction"])
  func theSeedDecidesAndTheLayoutRoundTrips(name: String) throws {
    let first = try generated(name).prompts
    #expect(try generated(name).prompts == first)
    #expect(try generated(name, seed: 2).prompts != first)
    #expect(try parsePrompts(promptLines(first), path: "prompts.jsonl") == first)
  }

  @Test func theIndirectObjectIsTheNameSaidOnce() throws {
    let (prompts, set, tokenizer) = try generated("ioi", examples: 160)
    let names = Set(try Self.library.task("ioi").words(of: "name"))
    var orders: [Bool: Int] = [:]
    for (prompt, tokenized) in zip(prompts, set.prompts) {
      guard case .text(let text) = prompt.content else { continue }
      let said = WordTokenizer.split(text).filter(names.contains)
      #expect(said.count == 3)
      if prompt.isPositive {
        let once = said.filter { name in said.count { $0 == name } == 1 }
        #expect(prompt.answers == once.map { .text(" " + $0) })
        #expect(tokenized.tokens[try #require(tokenized.positions["s1"])] == tokenized.wrongTokens[0])
        #expect(tokenized.tokens[try #require(tokenized.positions["s2"])] == tokenized.wrongTokens[0])
        #expect(tokenized.tokens[try #require(tokenized.positions["io"])] == tokenized.answerTokens[0])
        orders[said[0] == once[0], default: 0] += 1
      } else {
        #expect(Set(said).count == 3)
      }
    }
    #expect(orders == [true: 80, false: 80])
    #expect(tokenizer.tokens(of: " Mary") == tokenizer.tokens(of: "Mary"))
  }

  @Test func yearsAfterTheBeginningAreRight() throws {
    for prompt in try generated("greater-than").prompts {
      guard case .text(let text) = prompt.content else { continue }
      let numbers = WordTokenizer.split(text).compactMap { Int($0) }
      try #require(numbers.count == 3)
      #expect(numbers[0] == numbers[2])
      if prompt.isPositive {
        #expect(prompt.answers.count == 99 - numbers[1])
        #expect(prompt.wrong.count == numbers[1] + 1)
        #expect(prompt.answers.last == .text("99"))
        #expect(prompt.wrong.first == .text("00"))
      } else {
        #expect(numbers[1] == 1)
      }
    }
  }

  @Test func aSpanThatBeginsAgainGoesOnTheSameWay() throws {
    for prompt in try generated("induction").set.prompts {
      let last = try #require(prompt.tokens.last)
      let occurrences = prompt.tokens.indices.filter { prompt.tokens[$0] == last }
      if prompt.isPositive {
        #expect(occurrences.count == 2)
        #expect(prompt.tokens[occurrences[0] + 1] == prompt.answerTokens.first)
      } else {
        #expect(Set(prompt.tokens).count == prompt.tokens.count)
      }
    }
  }

  @Test func modelsWithoutTokenizerGetTokens() throws {
    let task = try Self.library.task("induction")
    let set = try task.promptSet(
      examples: 40, seed: 0, limits: PromptLimits(vocabularySize: 20, contextLength: 32))
    #expect(set.prompts.count == 80)
    #expect(set.prompts.allSatisfy { $0.tokens.allSatisfy { (0..<20).contains($0) } })
    #expect(set.prompts.allSatisfy { $0.text == nil })
    #expect(throws: TaskError.needsVocabulary(task: "induction")) {
      try task.promptSet(examples: 1, seed: 0, limits: PromptLimits())
    }
    #expect(throws: TaskError.needsTokenizer(task: "ioi")) {
      try Self.library.task("ioi").promptSet(examples: 1, seed: 0, limits: PromptLimits(vocabularySize: 20))
    }
  }

  @Test func theBeginningTokenShiftsPositions() throws {
    let task = try Self.library.task("ioi")
    let tokenizer = WordTokenizer(task: task)
    let limits = PromptLimits(tokenizer: tokenizer, beginningToken: 9999)
    let on = try task.promptSet(examples: 3, seed: 0, limits: limits)
    let off = try task.promptSet(examples: 3, seed: 0, limits: limits, beginning: .off)
    for (a, b) in zip(on.prompts, off.prompts) {
      #expect(a.tokens == [9999] + b.tokens)
      #expect(a.positions == b.positions.mapValues { $0 + 1 })
      #expect(a.answerPosition == a.tokens.count - 1)
    }
    #expect(on.beginningToken == 9999 && off.beginningToken == nil)
  }

  @Test(arguments: ["ioi", "greater-than", "docstring", "induction"])
  func specsAreLaidOutAsToolsWriteThem(name: String) throws {
    let path = "\(packageFolder)/Circuits/\(name)/task.json"
    let text = try readText(at: path)
    #expect(try JSONValue(parsing: text).text() == text)
  }
}
