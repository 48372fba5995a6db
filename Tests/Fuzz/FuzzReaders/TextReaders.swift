// JSON, task and prompt files, circuits, configurations, gzip.

import CausalMethods
import CircuitDiscovery
import Files
import Transformers

let textReaders: [FuzzReader] = [
  FuzzReader(name: "json") { bytes, _ in
    let value = try JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
    // What was read is written and read again: nothing may be lost.
    guard try JSONValue(parsing: value.line) == value, try JSONValue(parsing: value.text()) == value else {
      fatalError("JSON changes when it is written")
    }
  },
  FuzzReader(name: "gzip") { bytes, scratch in
    _ = try gunzip(MappedFile(path: scratch.file("x.gz", bytes)))
  },
  FuzzReader(name: "config") { bytes, scratch in
    _ = try scratch.file("config.json", bytes)
    _ = try Transformer.configuration(ofFolder: scratch.folder)
  },
  FuzzReader(name: "task") { bytes, scratch in
    let task = try TaskSpec(
      parsing: String(decoding: bytes, as: UTF8.self), path: scratch.folder + "/task.json")
    _ = try task.prompts(examples: 4, seed: 1, limits: PromptLimits(tokenizer: LetterTokenizer()))
  },
  FuzzReader(name: "prompts") { bytes, _ in
    let prompts = try parsePrompts(String(decoding: bytes, as: UTF8.self), path: "prompts.jsonl")
    _ = prompts.map(\.jsonValue.line)
  },
  FuzzReader(name: "circuit") { bytes, scratch in
    let circuit = try ScoredCircuit(path: scratch.file("circuit.json", bytes))
    _ = circuit.text
  },
]

/// A token for every word, by its bytes.
private struct LetterTokenizer: PromptTokenizer {
  let label = "words by their bytes"
  let unknownToken: Int? = 0

  func tokens(of text: String) -> [Int] {
    text.split(separator: " ").map { word in word.utf8.reduce(1) { ($0 &* 31 &+ Int($1)) & 0xFFFF } }
  }
}
