// Every command that writes, with a failure or a kill at steps of writing in turn: each file is whole or absent, nothing
// else is left, and the same command then goes on to the same bytes. Every seventh to eleventh step is taken, so that the
// suite stays short; with HEADLAMP_EVERY_FAULT set, as `make stress` does, every one, and of more commands.

import Foundation
import TestSupport
import Testing

@Suite struct FaultedCommandTests {
  /// The command lines, by the name of what they write. MODEL is a small model, and their inputs are made beforehand.
  static let commands: [(output: String, words: [String])] = [
    ("prompts.jsonl", ["generate", "induction", "--model", "model"]),
    ("r.h5", ["record", "induction", "--model", "model", "--examples", "30"]),
    (
      "part.h5",
      ["record", "induction", "--model", "model", "--examples", "30", "--shard", "1/2"]
    ),
    ("joined.h5", ["merge", "base-1.h5", "base-2.h5"]),
    ("copied.h5", ["merge", "base-1.h5", "base-2.h5", "--copy"]),
    (
      "part",
      [
        "attribute", "induction", "--model", "model", "--examples", "10", "--method", "atp", "--shard", "2/2",
      ]
    ),
    ("a.safetensors", ["train", "base.h5", "--epochs", "5"]),
    ("ranked", ["rank", "base.h5", "--autoencoder", "base.safetensors"]),
    (
      "trained",
      [
        "train-model", "induction", "--layers", "1", "--heads", "2", "--d-model", "16", "--steps", "4",
        "--batch",
        "4", "--pairs", "50", "--checkpoint-every", "2",
      ]
    ),
    ("paths", ["attribute", "induction", "--model", "model", "--examples", "10", "--method", "eap"]),
    (
      "found",
      [
        "discover", "induction", "--model", "model", "--examples", "10", "--epochs", "10",
        "--figure-examples", "4",
      ]
    ),
    (
      "compared",
      [
        "compare", "induction", "--model", "model", "--examples", "6", "--judging-examples", "6", "--methods",
        "atp",
      ]
    ),
    (
      "kept",
      ["faithfulness", "induction", "--model", "model", "--examples", "6", "--circuit", "base/circuit.json"]
    ),
    ("heads", ["heads", "induction", "--model", "model", "--examples", "10"]),
    ("patched", ["patch", "induction", "--model", "model", "--examples", "10"]),
    ("ablated", ["ablate", "induction", "--model", "model", "--examples", "10"]),
    ("model.json", ["fit", "example", "--black-box", "boosted", "--folds", "0"]),
    ("network.safetensors", ["fit", "example", "--black-box", "mlp", "--folds", "0"]),
    ("why", ["explain", "example", "--top", "3", "--black-box", "base.json"]),
    ("importance", ["importance", "example", "--black-box", "base.json"]),
  ]

  /// Commands that write as others do, for long runs.
  private static let more: [(output: String, words: [String])] = [
    ("table.safetensors", ["quantise", "table.csv", "--target", "y"]),
    ("said.csv", ["predict", "table.csv", "--target", "y", "--black-box", "table.json"]),
    ("probed", ["probe", "base.h5"]),
    ("normal.safetensors", ["normality", "fit", "base.h5"]),
    ("scored", ["normality", "score", "base.h5", "--normality", "base-normal.safetensors"]),
  ]

  private static let everyFault = ProcessInfo.processInfo.environment["HEADLAMP_EVERY_FAULT"] != nil

  /// How far apart the steps are that fail.
  private static let strides: [(kind: String, stride: Int)] =
    !everyFault
    ? [("ENOSPC", 7), ("EIO", 11), ("kill", 9)] : [("ENOSPC", 1), ("EIO", 1), ("kill", 1)]

  private func files(_ path: String) -> [String: Data] {
    let manager = FileManager.default
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: path, isDirectory: &isFolder) else { return [:] }
    guard isFolder.boolValue else { return ["": manager.contents(atPath: path) ?? Data()] }
    var found: [String: Data] = [:]
    for name in (try? manager.subpathsOfDirectory(atPath: path)) ?? [] {
      found[name] = manager.contents(atPath: path + "/" + name)
    }
    return found
  }

  /// What stands in a file, without what tells the time.
  private func withoutTimes(_ data: Data) -> Data {
    let text = String(decoding: data, as: UTF8.self)
    guard text.contains("seconds") || text.contains("peakMemory") else { return data }
    return Data(
      text.replacing(/"[a-z_ ]*seconds[a-z_ ]*" *: *[-+.0-9e]+/, with: "")
        .replacing(/"peakMemory" *: *[-+.0-9e]+/, with: "").utf8)
  }

  private func prepare(_ folder: String) throws {
    let table = "a,b,y\n" + (0..<60).map { "\($0 * 7 % 31),\($0 * 13 % 17),\($0 % 5)\n" }.joined()
    try table.write(toFile: folder + "/table.csv", atomically: true, encoding: .utf8)
    for words in [
      ["record", "induction", "--model", "model", "--examples", "30", "--output", "base.h5"],
      [
        "record", "induction", "--model", "model", "--examples", "9", "--shard", "1/2", "--output",
        "base-1.h5",
      ],
      [
        "record", "induction", "--model", "model", "--examples", "9", "--shard", "2/2", "--output",
        "base-2.h5",
      ],
      [
        "attribute", "induction", "--model", "model", "--examples", "6", "--method", "eap", "--output",
        "base",
      ],
      ["train", "base.h5", "--epochs", "5", "--output", "base.safetensors"],
      ["fit", "example", "--black-box", "boosted", "--folds", "0", "--output", "base.json"],
    ]
      + (Self.everyFault
        ? [
          [
            "fit", "table.csv", "--target", "y", "--black-box", "boosted", "--folds", "0", "--output",
            "table.json",
          ], ["normality", "fit", "base.h5", "--output", "base-normal.safetensors"],
        ] : [])
    {
      let made = try headlamp(words, folder: folder)
      try #require(made.exitCode == 0, "\(made.errors)")
    }
  }

  @Test(arguments: everyFault ? commands + more : commands) func aFaultAtEveryStep(
    output: String, words: [String]
  ) throws {
    try withSmallModel { folder, _ in
      try prepare(folder)
      let path = folder + "/" + output
      let words = words + ["--output", output]
      let made = try headlamp(words, folder: folder)
      try #require(made.exitCode == 0, "\(made.errors)")
      let whole = files(path)
      try FileManager.default.removeItem(atPath: path)
      let others = Set(try FileManager.default.contentsOfDirectory(atPath: folder))

      // Short writes and interruptions change nothing.
      let patient = try headlamp(
        words, environment: ["HEADLAMP_FAULTS": "write@1:short,write@2:EINTR,any@4:EINTR,open@1:EINTR"],
        folder: folder)
      #expect(patient.exitCode == 0, "\(patient.errors)")
      try FileManager.default.removeItem(atPath: path)

      for (kind, stride) in Self.strides {
        var (number, successes) = (1, 0)
        // A failure to make a folder that is there is none: the command has come through when nothing fails any more.
        while number < 400, successes < 3 {
          var resumed = words
          if words[0] == "train-model", fileExists(path + "/checkpoint.safetensors") {
            resumed.append("--resume")
          }
          let result = try headlamp(
            resumed, environment: ["HEADLAMP_FAULTS": "any@\(number):\(kind)"], folder: folder)
          for (name, data) in files(path)
          where name != "checkpoint.safetensors" && !name.hasSuffix(".partial") {
            if kind == "kill", name.hasPrefix(".headlamp-") {
              try FileManager.default.removeItem(atPath: path + "/" + name)
              continue
            }
            // A comparison's tables and page say how long each ranking took.
            if words[0] == "compare", !name.hasPrefix("cells/") { continue }
            #expect(
              withoutTimes(data) == whole[name].map(withoutTimes), "\(kind) at step \(number): \(name)")
          }
          let left = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
          let expected = others.union([output, output + ".partial"])
          // A process that is killed between two calls may leave the name it could not give back.
          let strange = left.subtracting(expected).filter { kind != "kill" || !$0.hasPrefix(".headlamp-") }
          #expect(strange.isEmpty, "\(kind) at step \(number): \(strange)")
          for name in left where name.hasPrefix(".headlamp-") {
            try FileManager.default.removeItem(atPath: folder + "/" + name)
          }
          number += stride
          successes = result.exitCode == 0 ? successes + 1 : 0
          if result.exitCode == 0 { continue }
          #expect(result.exitCode == (kind == "kill" ? -9 : 1), "\(kind) at step \(number): \(result.errors)")
          if kind != "kill" {
            #expect(
              result.errors.contains(kind == "EIO" ? "Input/output error" : "No space left on device"),
              "\(kind) at step \(number): \(result.errors)")
          }
        }
        #expect(number > 3 && number < 400, "\(kind): \(number) steps")
        let found = files(path)
        #expect(found.keys.sorted() == whole.keys.sorted())
        try FileManager.default.removeItem(atPath: path)
      }
    }
  }

  private func fileExists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}
