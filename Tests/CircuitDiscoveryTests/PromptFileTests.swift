// Files of prompts in every form that people bring, and what is said about those that cannot be used.

import Files
import TestSupport
import Testing
import Transformers

@testable import CircuitDiscovery

@Suite struct PromptFileTests {
  @Test(arguments: ["1", "0", "true", "false", "\"positive\"", "\"negative\"", "1.0", "\"0\""])
  func labels(label: String) throws {
    let file = try PromptFile(text: "{\"prompt\": \"a\", \"label\": \(label)}", path: "p.jsonl")
    #expect(file.prompts[0].isPositive == ["1", "true", "\"positive\"", "1.0"].contains(label))
  }

  @Test func aByteOrderMarkAndAnyLineEndingAreAccepted() throws {
    let lines = ["{\"prompt\": \"a\", \"label\": 1}", "", "{\"prompt\": \"b\", \"label\": 0}"]
    for (ending, mark) in [("\n", ""), ("\r\n", ""), ("\r\n", "\u{feff}")] {
      let file = try PromptFile(text: mark + lines.joined(separator: ending) + ending, path: "p.jsonl")
      #expect(file.prompts.count == 2 && file.places == [1, 3] && file.form == .lines)
    }
  }

  @Test func aListIsReadAsLinesAre() throws {
    let file = try PromptFile(
      text:
        "[{\"prompt\": \"a\", \"label\": 1},\n {\"clean\": \"c\", \"corrupted\": \"d\", \"answer\": \" x\"}]",
      path: "p.json")
    #expect(file.form == .list)
    #expect(file.prompts.map(\.isPositive) == [true, true, false])
    #expect(file.prompts[1].pair == file.prompts[2].pair && file.prompts[1].pair != nil)
    #expect(file.prompts[2].answers == [.text(" x")])
  }

  /// The columns of EAP-IG's and MIB's files, with pandas' index in front; blanks in cells count.
  @Test func tables() throws {
    let rows = [
      ["", "clean", "corrupted", "correct_idx", "incorrect_idx", "corrupted_hard"],
      [
        "0", "\"When Mary and John went, John gave it to\"", "\"When Mary and John went, Tom gave it to\"",
        "5335",
        "1757", "x",
      ],
      ["1", "A man said: \"hi\"", "B man", "3.0", "\"[4, 5]\"", "y"],
    ]
    for separator in [",", "\t", ";"] {
      let table = rows.map { $0.joined(separator: separator) + "\r\n" }.joined()
      let file = try PromptFile(text: table, path: "p." + (separator == "\t" ? "tsv" : "csv"))
      #expect(file.form == .table && file.ignored == ["corrupted_hard"] && file.prompts.count == 4)
      #expect(file.prompts[0].answers == [.token(5335)] && file.prompts[0].wrong == [.token(1757)])
      #expect(file.prompts[2].answers == [.token(3)])
      #expect(file.places == [2, 2, 3, 3])
      #expect(file.prompts.map(\.isPositive) == [true, false, true, false])
    }
    let labelled = try PromptFile(
      text: "prompt,label,answer\n\" a b\",True, c\nd,False,\n", path: "p.csv")
    #expect(labelled.prompts.map(\.isPositive) == [true, false])
    #expect(labelled.prompts[0].content == .text(" a b") && labelled.prompts[0].answers == [.text(" c")])
    #expect(labelled.prompts[1].answers.isEmpty)
  }

  @Test func choicesAndCounterfactuals() throws {
    let line = #"""
      {"prompt": "p", "choices": [" a", " b"], "answerKey": 1, "template": "t", "abc_counterfactual": {"prompt": "q"}}
      """#
    let file = try PromptFile(text: line, path: "p.jsonl")
    #expect(file.prompts.count == 2 && file.ignored == ["template"])
    #expect(file.prompts[0].answers == [.text(" b")] && file.prompts[0].wrong == [.text(" a")])
    #expect(file.prompts[1].content == .text("q") && !file.prompts[1].isPositive)
  }

  @Test(arguments: [
    ("a,b\n1,2\n", "p.csv", "a column of prompts is needed"),
    ("prompt,answer\nx,y\n", "p.csv", "a column 'label'"),
    ("prompt,label\nx\n", "p.csv", "1 cells"),
    ("prompt,label\n\"x,1\n", "p.csv", "does not end"),
    ("clean,prompt,label\nx,y,1\n", "p.csv", "say the same"),
    ("prompt,label\nx,maybe\n", "p.csv", "'maybe' is none of"),
    ("[{\"prompt\": \"a\"}]", "p.json", "\"label\" is missing"),
    ("{\"prompt\": \"a\", \"lable\": 1}", "p.jsonl", "there is no field \"lable\""),
    ("", "p.csv", "noPrompts"),
  ])
  func badFilesAreRefusedWithTheReason(text: String, path: String, reason: String) throws {
    let error = #expect(throws: TaskError.self) { try PromptFile(text: text, path: path) }
    #expect(
      String(describing: error as Any).replacing("\\", with: "").contains(reason),
      "\(String(describing: error))")
  }

  @Test func filesAreToldFromTasks() throws {
    try withTemporaryFolder { folder in
      for (name, text, isPrompts) in [
        ("a.json", "[{}]", true), ("b.json", "{\"prompt\": \"a\", \"label\": 1}\n{\"prompt\": \"b\"}", true),
        ("c.json", "{\n \"name\": \"x\"\n}", false), ("d.csv", "", true),
      ] {
        try writeFile(text, to: folder + "/" + name)
        #expect(PromptFile.isPromptFile(folder + "/" + name) == isPrompts, "\(name)")
      }
      #expect(PromptFile.isPromptFile("-"))
    }
  }

  private func tokenized(_ lines: String) throws -> PromptSet {
    try PromptSet(
      PromptFile(text: lines, path: "p.jsonl").prompts, task: "p.jsonl", seed: 0,
      limits: PromptLimits(tokenizer: WordTokenizer(words: ["a", "b", "c", "d", "e"])))
  }

  /// Answers are compared at the first token that differs; what they share before it follows the prompt and its twin.
  @Test func answersOfSeveralTokens() throws {
    let set = try tokenized(#"{"clean": "a", "corrupted": "b", "answer": " c d", "wrong": [" c e"]}"#)
    #expect(set.prompts[0].tokens.count == 2 && set.prompts[1].tokens.count == 2)
    #expect(set.prompts[0].answerPosition == 1 && set.prompts[0].positions["last"] == 1)
    #expect(set.prompts[0].answers != set.prompts[0].wrong && set.prompts[0].answers.count == 1)
    let apart = try tokenized(#"{"clean": "a", "corrupted": "b", "answer": " c d", "wrong": [" e d"]}"#)
    #expect(apart.prompts[0].tokens.count == 1)
    let alone = try tokenized(
      "{\"prompt\": \"a\", \"label\": 1, \"pair\": 0, \"answer\": \" c d\", \"wrong\": \" c e\"}\n"
        + "{\"prompt\": \"b\", \"label\": 0, \"pair\": 0}")
    #expect(alone.prompts[1].tokens.count == 2)
  }

  /// Answers that share first tokens in part share none with all, and keep all their tokens.
  @Test func answersThatBeginToDifferAtSeveralPlaces() throws {
    let set = try tokenized(#"{"clean": "a", "corrupted": "b", "answer": " c d", "wrong": [" c e", " e"]}"#)
    #expect(set.prompts[0].tokens.count == 1 && set.prompts[0].lead.isEmpty)
    #expect(set.prompts[0].answers.map(\.count) == [2] && set.prompts[0].wrong.map(\.count) == [2, 1])
    // The wrong answer goes on with other tokens than the right one does.
    #expect(set.prompts[0].question.continuations == [[set.prompts[0].answers[0][0]]])
  }

  /// A list within a list is one answer in token ids.
  @Test func answersOfSeveralTokenIDs() throws {
    let line = #"{"tokens": [0], "corrupted_tokens": [1], "answer": [[2, 3], 4], "wrong": [[2, 4]]}"#
    let set = try tokenized(line)
    #expect(set.prompts[0].answers == [[2, 3], [4]] && set.prompts[0].wrong == [[2, 4]])
    let again = try PromptFile(
      text: promptLines(PromptFile(text: line, path: "p.jsonl").prompts), path: "q.jsonl")
    #expect(again.prompts[0].answers == [.tokens([2, 3]), .token(4)])
    let alone = Prompt(.tokens([0]), isPositive: true, answers: [.tokens([2, 3])])
    #expect(try parsePrompts(promptLines([alone]), path: "q.jsonl")[0].answers == [.tokens([2, 3])])
    #expect(throws: TaskError.self) {
      try tokenized(#"{"tokens": [0], "label": 1, "answer": [[]]}"#)
    }
  }

  @Test func answersOfSeveralTokensFollowAPromptsEnd() throws {
    let error = #expect(throws: TaskError.self) {
      try tokenized(
        #"{"prompt": "a b", "label": 1, "answer": " c d", "wrong": " e", "positions": {"answer": 0}}"#)
    }
    #expect(String(describing: error as Any).contains("can follow its end alone"))
  }

  @Test(arguments: [
    (#""answer": " c", "wrong": " c d""#, "beginning"), (#""answer": " c", "wrong": " c""#, "wrong one too"),
    (#""answer": [" c d", " e"], "wrong": [" c d e"]"#, "beginning"),
  ])
  func answersThatCannotBeToldApartAreRefused(answers: String, reason: String) throws {
    let error = #expect(throws: TaskError.self) {
      try tokenized("{\"clean\": \"a\", \"corrupted\": \"b\", \(answers)}")
    }
    #expect(String(describing: error as Any).contains(reason), "\(String(describing: error))")
  }

  @Test func aCheckGoesOnPastWhatCannotBeUsed() throws {
    let file = try PromptFile(
      text: """
        clean,corrupted,correct,incorrect
        a b,a c, d, e
        a b,a, d, e
        a zzz,a, d, d
        """, path: "p.csv")
    let check = try PromptCheck(
      file, limits: PromptLimits(tokenizer: WordTokenizer(words: ["a", "b", "c", "d", "e"])), beginning: .auto
    )
    #expect(check.rows.count == 6 && check.pairs == 2 && check.positives == 2 && check.unusable == [4, 5])
    #expect(check.misaligned.map(\.pair) == [2] && check.misaligned[0].firstDifference == 1)
    #expect(check.withoutQuestion == 0 && check.withDonor == 2)
    let apart = try PromptCheck(
      PromptFile(text: "prompt,label\na b,1\na,0\nb c,0\n", path: "p.csv"),
      limits: PromptLimits(tokenizer: WordTokenizer(words: ["a", "b", "c"])), beginning: .auto)
    #expect(apart.withDonor == 1)
    let none = try PromptCheck(
      PromptFile(text: "prompt,label\na b,1\na,0\n", path: "p.csv"),
      limits: PromptLimits(tokenizer: WordTokenizer(words: ["a", "b", "c"])), beginning: .auto)
    #expect(none.withDonor == 0)
  }
}
