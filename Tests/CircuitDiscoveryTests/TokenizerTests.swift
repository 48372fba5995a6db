// Bundled tasks under real tokenizers: GPT-2's, and a word-level one made from the tasks themselves.

import CircuitDiscovery
import TestSupport
import Testing
import Tokenizers

@Suite struct TokenizerTests {
  static let library = TaskLibrary(folder: packageFolder + "/Circuits")

  @Test(.enabled(if: SharedReference.isPresent))
  func everyTaskWorksWithTheTokenizerOfGPT2() throws {
    let limits = try PromptLimits(modelFolder: SharedReference.path("models/gpt2-tokenizer"))
    #expect(limits.beginningToken == 50256)
    for task in try Self.library.tasks() {
      let made = try task.prompts(examples: 100, seed: 3, limits: limits)
      // "painters" and "Kenya" are two tokens each, and are left out.
      #expect(made.dropped.allSatisfy { $0.words.count <= 1 } && made.duplicates == 0)
      let set = try PromptSet(made.prompts, task: task.name, seed: 3, limits: limits)
      #expect(set.pairs.count == 100)
      #expect(set.prompts.allSatisfy { $0.tokens.first == 50256 })
      for (positive, negative) in set.pairs {
        #expect(set.prompts[positive].tokens.count == set.prompts[negative].tokens.count)
      }
    }
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func positionsAreTokensOfTheirSlots() throws {
    let limits = try PromptLimits(modelFolder: SharedReference.path("models/gpt2-tokenizer"))
    let tokenizer = try Tokenizer(contentsOf: SharedReference.path("models/gpt2-tokenizer"))
    let set = try Self.library.task("greater-than").promptSet(examples: 60, seed: 1, limits: limits)
    for prompt in set.prompts {
      let places = [try #require(prompt.positions["year"]), try #require(prompt.positions["first_century"])]
      let year = try #require(tokenizer.token(of: prompt.tokens[places[0]]))
      let century = try #require(tokenizer.token(of: prompt.tokens[places[1]]))
      let text = try #require(prompt.text)
      #expect(text.contains("year " + century.dropFirst() + year))
      #expect(year.count == 2 && century.count == 3)
    }
    let docstring = try Self.library.task("docstring").promptSet(examples: 20, seed: 1, limits: limits)
    for prompt in docstring.prompts where prompt.isPositive {
      let places = prompt.positions.mapValues { prompt.tokens[$0] }
      #expect(places["doc_a"] == prompt.wrongTokens[2])
      #expect(places["def_a"] == prompt.wrongTokens[2])
      #expect(places["def_c"] == prompt.answerTokens.first)
    }
  }

  @Test func aWordLevelVocabularyCoversTheTasksItWasMadeFrom() throws {
    let tasks = try Self.library.tasks()
    let description = try WordLevelDescription.covering(tasks)
    #expect(try WordLevelDescription.covering(tasks.reversed()) == description)
    #expect((300...600).contains(description.words.count))
    let tokenizer = try Tokenizer(description)
    let limits = PromptLimits(
      tokenizer: ModelTokenizer(tokenizer, label: "the tasks' own words"),
      vocabularySize: tokenizer.vocabularySize, beginningToken: tokenizer.beginningOfText)
    for task in tasks {
      let made = try task.prompts(examples: 200, seed: 0, limits: limits)
      #expect(made.dropped.isEmpty)
      let set = try PromptSet(made.prompts, task: task.name, seed: 0, limits: limits)
      #expect(set.beginningToken == 1)
      #expect(set.prompts.allSatisfy { !$0.tokens.contains(0) })
      if task.name == "greater-than" {
        #expect(set.prompts.allSatisfy { prompt in prompt.answers.count <= 97 })
        #expect(set.prompts[0].text?.contains("year 1") == true)
      }
    }
  }
}
