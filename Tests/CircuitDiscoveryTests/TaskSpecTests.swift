// Specs that are wrong, and what is said about them; templates; literal prompts; published truths.

import CircuitDiscovery
import Files
import Foundation
import TestSupport
import Testing

@Suite struct TaskSpecTests {
  /// A sound spec, in which tests replace one part.
  static let sound = """
    {"name": "greet", "summary": "says whom to greet",
     "lists": {"name": ["Ann", "Bob", "Cid", "Dot"], "verb": ["greets", "sees"]},
     "slots": {"A": {"from": "name"}, "B": {"from": "name"}, "S": {"copy": "A"}, "v": {"from": "verb"}},
     "templates": ["{A} {v} {B}; {S} {v}"],
     "one_token": ["A", "B"], "distinct": [["A", "B"]],
     "answer": " {B}", "wrong": [" {A}"], "positions": {"first": "A", "end": "last"},
     "negative": {"S": "{B}"},
     "ground_truths": {"mine": {"model": "toy", "layers": 2, "heads_per_layer": 3, "source": "a test",
       "heads": [[0, 2], [1, 1]]}}}
    """

  @Test func aSoundSpecIsRead() throws {
    let task = try TaskSpec(parsing: Self.sound, path: "task.json")
    #expect(task.possiblePrompts == .exactly(24))
    #expect(try task.truth(named: "mine").heads.map { [$0.layer, $0.head] } == [[0, 2], [1, 1]])
    #expect(throws: TaskError.unknownTruth("mine?", task: "greet", known: ["mine"])) {
      try task.truth(named: "mine?")
    }
  }

  @Test(arguments: [
    ("\"name\": \"greet\"", "\"name\": \"two words\"", "name"),
    ("\"summary\"", "\"sumary\"", ""),
    ("[\"greets\", \"sees\"]", "[]", "lists.verb"),
    ("\"Cid\"", "\"Bob\"", "lists.name"),
    ("\"v\": {\"from\": \"verb\"}", "\"v\": {\"from\": \"verbs\"}", "slots.v.from"),
    ("{\"copy\": \"A\"}", "{\"copy\": \"v\"}", "slots.S.copy"),
    ("{\"copy\": \"A\"}", "{\"numbers\": [3, 1]}", "slots.S.numbers"),
    ("{\"copy\": \"A\"}", "{}", "slots.S"),
    ("{S} {v}\"]", "{T} {v}\"]", "templates[0]"),
    ("{S} {v}\"]", "{S\"]", "templates[0]"),
    ("[\"{A} {v} {B}; {S} {v}\"]", "[\"{A} {S}\", {\"text\": 3}]", "templates[1].text"),
    ("\"one_token\": [\"A\", \"B\"]", "\"one_token\": [\"A\", \"X\"]", "one_token"),
    ("[[\"A\", \"B\"]]", "[[\"A\", 1]]", "distinct[0][1]"),
    ("\"answer\": \" {B}\"", "\"answer\": \" {Q}\"", "answer"),
    ("[\" {A}\"]", "[\" {A}\", \"{v..3}\"]", "wrong[1]"),
    ("\"first\": \"A\"", "\"first\": \"A#2\"", "positions.first"),
    ("\"first\": \"A\"", "\"first\": \"A+x\"", "positions.first"),
    ("{\"S\": \"{B}\"}", "{\"Z\": \"{B}\"}", "negative.Z"),
    ("[1, 1]", "[2, 1]", "ground_truths.mine.heads[1][0]"),
    ("[1, 1]", "[0, 2]", "ground_truths.mine.heads[1]"),
    ("\"model\": \"toy\"", "\"modle\": \"toy\"", "ground_truths.mine"),
    ("\"templates\"", "\"prompts\": [], \"templates\"", ""),
  ])
  func aBadFieldIsNamed(part: String, replacement: String, field: String) throws {
    let pieces = Self.sound.components(separatedBy: part)
    try #require(pieces.count >= 2)
    let text = pieces[0] + replacement + pieces.dropFirst().joined(separator: part)
    let error = #expect(throws: TaskError.self) { try TaskSpec(parsing: text, path: "task.json") }
    guard case .badField("task.json", let found, _)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(found == field)
  }

  @Test func textThatIsNotJSONHasALineAndAColumn() {
    #expect(
      throws: TaskError.notJSON(path: "t", line: 2, column: 8, problem: "a comma or ']' is needed here")
    ) {
      try TaskSpec(parsing: "{\"name\":\n [1, 2 3]}", path: "t")
    }
  }

  @Test func wordsThatAreNotOneTokenAreLeftOutOrRefused() throws {
    let tokenizer = WordTokenizer(words: ["Ann", "Bob", "Cid", "greets", "sees", ";"])
    let limits = PromptLimits(tokenizer: tokenizer)
    let task = try TaskSpec(parsing: Self.sound, path: "task.json")
    let made = try task.prompts(examples: 10, seed: 0, limits: limits)
    #expect(made.dropped == [WordList(name: "name", words: ["Dot"])])
    #expect(!promptLines(made.prompts).contains("Dot"))

    let strict = Self.sound.replacing("\"distinct\"", with: "\"longer_words\": \"refuse\", \"distinct\"")
    #expect(
      throws: TaskError.notOneToken(
        text: " Dot", tokens: 0, tokenizer: tokenizer.label, place: "list \"name\" of greet")
    ) {
      try TaskSpec(parsing: strict, path: "task.json").prompts(examples: 1, seed: 0, limits: limits)
    }
    #expect(throws: TaskError.self) {
      try task.prompts(examples: 1, seed: 0, limits: PromptLimits(tokenizer: WordTokenizer(words: ["Ann"])))
    }
  }

  @Test func promptsRepeatOnlyWhenThereAreNoMore() throws {
    let task = try TaskSpec(parsing: Self.sound, path: "task.json")
    let limits = PromptLimits(tokenizer: WordTokenizer(task: task))
    #expect(try task.prompts(examples: 24, seed: 5, limits: limits).duplicates == 0)
    #expect(try task.prompts(examples: 30, seed: 5, limits: limits).duplicates == 6)
  }

  @Test func literalPromptsAndFilesAreTakenAsTheyAre() throws {
    let lines = """
      {"prompt": "a b", "label": 1, "answer": " c", "pair": 4}
      {"prompt": "a d", "label": 0, "pair": 4}

      {"tokens": [1, 2], "label": 1, "answer": 3, "wrong": [4, 5], "positions": {"first": -2}}
      """
    let prompts = try parsePrompts(lines, path: "p.jsonl")
    #expect(prompts.count == 3)
    #expect(prompts[2].answers == [.token(3)] && prompts[2].positions == ["first": -2])
    let tokenizer = WordTokenizer(words: ["a", "b", "c", "d"])
    let set = try PromptSet(prompts, task: "p.jsonl", seed: 0, limits: PromptLimits(tokenizer: tokenizer))
    #expect(set.pairs.map { [$0.positive, $0.negative] } == [[0, 1]])
    #expect(set.prompts[2].positions["first"] == 0)

    try withTemporaryFolder { folder in
      try writeFile(lines, to: folder + "/p.jsonl")
      let spec = "{\"name\": \"own\", \"summary\": \"from a file\", \"prompts_file\": \"p.jsonl\"}"
      try writeFile(spec, to: folder + "/task.json")
      let task = try TaskLibrary(folder: nil).task(folder)
      let limits = PromptLimits(tokenizer: tokenizer)
      #expect(try task.promptSet(examples: nil, seed: 0, limits: limits).prompts.count == 3)
      #expect(try task.promptSet(examples: 1, seed: 0, limits: limits).prompts.count == 2)
    }
  }

  @Test(arguments: [
    ("{\"prompt\": \"a\"}", 1), ("{\"prompt\": \"a\", \"label\": 2}", 1),
    ("{\"prompt\": \"a\", \"label\": 1}\n{\"label\": 1}", 2),
    ("{\"prompt\": \"a\", \"label\": 1, \"anwser\": \" b\"}", 1),
    ("\n\n{\"tokens\": [1, -2], \"label\": 1}", 3), ("{\"tokens\": [1], \"label\": 1", 1),
    ("{\"tokens\": [1], \"prompt\": \"a\", \"label\": 1}", 1),
  ])
  func aBadLineIsNumbered(text: String, line: Int) {
    let error = #expect(throws: TaskError.self) { try parsePrompts(text, path: "p.jsonl") }
    guard case .badLine("p.jsonl", line, _)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
  }

  @Test func promptsAModelCannotReadAreRefused() throws {
    let limits = PromptLimits(vocabularySize: 10, contextLength: 3)
    func set(_ prompts: [Prompt], _ beginning: BeginningOfSequence = .auto) throws -> PromptSet {
      try PromptSet(prompts, task: "t", seed: 0, limits: limits, beginning: beginning)
    }
    let good = Prompt(.tokens([1, 2]), isPositive: true)
    #expect(throws: TaskError.noPrompts(source: "t")) { try set([]) }
    #expect(throws: TaskError.noPositives(source: "t", prompts: 1)) {
      try set([Prompt(.tokens([1]), isPositive: false)])
    }
    #expect(throws: TaskError.noNegatives(source: "t", prompts: 1)) { try set([good]).requireNegatives() }
    #expect(throws: TaskError.promptTooLong(source: "t", prompt: 1, tokens: 4, context: 3)) {
      try set([good, Prompt(.tokens([1, 2, 3, 4]), isPositive: true)])
    }
    #expect(throws: TaskError.tokenOutside(source: "t", prompt: 0, token: 10, vocabulary: 10)) {
      try set([Prompt(.tokens([10]), isPositive: true)])
    }
    #expect(throws: TaskError.tokenOutside(source: "t", prompt: 0, token: 11, vocabulary: 10)) {
      try set([Prompt(.tokens([1]), isPositive: true, answers: [.token(11)])])
    }
    #expect(throws: TaskError.noBeginningToken) { try set([good], .on) }
    #expect(throws: TaskError.needsTokenizer(task: "t")) { try set([Prompt(.text("a"), isPositive: true)]) }
    #expect(throws: TaskError.self) { try set([Prompt(.tokens([]), isPositive: true)]) }
    #expect(throws: TaskError.self) { try set([Prompt(.tokens([1]), isPositive: true, positions: ["x": 1])]) }
    var paired = good
    paired.pair = 1
    #expect(throws: TaskError.self) { try set([paired, paired]) }
  }

  @Test func anAnswerThatIsNotInTheVocabularyIsNamed() {
    let tokenizer = WordTokenizer(words: ["a", "b"])
    let prompt = Prompt(.text("a"), isPositive: true, answers: [.text(" a zzz")])
    #expect(
      throws: TaskError.notOneToken(
        text: " a zzz", tokens: 0, tokenizer: tokenizer.label, place: "answer of prompt 0 of t")
    ) { try PromptSet([prompt], task: "t", seed: 0, limits: PromptLimits(tokenizer: tokenizer)) }
  }

  /// The spec that Circuits/README.md shows is a spec, and makes the prompts it promises.
  @Test func theDocumentedSpecWorks() throws {
    let readme = try readText(at: packageFolder + "/Circuits/README.md")
    let blocks = readme.components(separatedBy: "```json\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    let task = try TaskSpec(parsing: blocks[0], path: "README.md")
    let limits = PromptLimits(tokenizer: WordTokenizer(task: task))
    let prompts = try task.prompts(examples: 12, seed: 0, limits: limits).prompts
    #expect(Set(prompts[0].positions.keys) == ["s1", "s2", "end"])
    #expect(prompts.count == 24)
    #expect(try parsePrompts(blocks[1], path: "README.md").count == 3)
    let truth = "{\"name\": \"t\", \"summary\": \"s\", \"prompts_file\": \"p\", \(blocks[2])}"
    #expect(try TaskSpec(parsing: truth, path: "README.md").truth(named: "mine").heads.count == 2)
  }

  @Test func aLookedUpWordGoesWithItsOther() throws {
    let spec = """
      {"name": "t", "summary": "s", "lists": {"land": ["Aa", "Bb", "Cc"], "city": ["aa", "bb", "bb"]},
       "slots": {"land": {"from": "land"}, "city": {"look_up": "land", "from": "city"}, "other": {"from": "land"},
        "other_city": {"look_up": "other", "from": "city"}},
       "templates": ["of {land} it is"], "distinct": [["city", "other_city"]], "one_token": ["land", "city"],
       "answer": " {city}", "wrong": " {other_city}", "negative": {"land": "{other}"}}
      """
    let task = try TaskSpec(parsing: spec, path: "t.json")
    let made = try task.prompts(
      examples: 12, seed: 0, limits: PromptLimits(tokenizer: WordTokenizer(task: task)))
    let cities = ["Aa": "aa", "Bb": "bb", "Cc": "bb"]
    for prompt in made.prompts where prompt.isPositive {
      guard case .text(let text) = prompt.content, case .text(let answer)? = prompt.answers.first,
        case .text(let wrong)? = prompt.wrong.first
      else { continue }
      let land = String(text.split(separator: " ")[1])
      #expect(answer == " " + (cities[land] ?? ""))
      #expect(wrong != answer)
    }
    #expect(made.prompts.count == 24)
    for (change, problem) in [
      (#""look_up": "land", "from": "city""#, #""look_up": "lnad", "from": "city""#),
      (#""city": ["aa", "bb", "bb"]"#, #""city": ["aa", "bb"]"#),
      (#""land": ["Aa", "Bb", "Cc"]"#, #""land": ["Aa", "Aa", "Cc"]"#),
    ] {
      let broken = spec.replacingOccurrences(of: change, with: problem)
      #expect(throws: TaskError.self, "\(problem)") { try TaskSpec(parsing: broken, path: "t.json") }
    }
  }

  @Test func publishedTruthsHaveTheirPublishedSizes() throws {
    let library = TaskLibrary(folder: packageFolder + "/Circuits")
    #expect(
      library.names == [
        "agreement", "bracket", "capital", "docstring", "greater-than", "induction", "ioi", "pronoun",
        "recall", "tokfsm",
      ])
    let sizes = [
      "ioi": ["wang": 26, "oneill": 26], "greater-than": ["hanna": 10, "acdc": 9, "oneill": 9],
      "docstring": ["post": 8, "post-performance": 11, "acdc": 6, "oneill": 6],
    ]
    for (task, truths) in sizes {
      let spec = try library.task(task)
      for (name, size) in truths {
        #expect(try spec.truth(named: name).heads.count == size, "\(task):\(name)")
      }
    }
    let ioi = try library.task("ioi")
    let (wang, oneill) = (Set(try ioi.truth(named: "wang").heads), Set(try ioi.truth(named: "oneill").heads))
    #expect(wang.subtracting(oneill) == [HeadIndex(layer: 9, head: 0)])
    #expect(oneill.subtracting(wang) == [HeadIndex(layer: 11, head: 3)])
    let greater = try library.task("greater-than")
    #expect(try greater.truth(named: "oneill").heads == greater.truth(named: "acdc").heads)
    #expect(throws: TaskError.unknownTask("iio", known: library.names)) { try library.task("iio") }
  }
}
