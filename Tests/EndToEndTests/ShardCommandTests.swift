// Work in parts, from the command line: merged parts are what one run writes, and parts that do not fit are named.

import Foundation
import TestSupport
import Testing

@Suite struct ShardCommandTests {
  /// Commands on a small model or the project's own table; `OUT` is what they write, MODEL the model.
  static let commands: [(words: [String], files: [String])] = [
    (["attribute", "induction", "--examples", "9", "--method", "eap"], ["edges.csv", "nodes.csv"]),
    (
      ["attribute", "induction", "--examples", "9", "--method", "atp", "--replace", "resample"],
      ["nodes.csv"]
    ),
    (
      ["attribute", "induction", "--examples", "9", "--method", "patching", "--replace", "mean"],
      ["nodes.csv"]
    ),
    (
      ["patch", "induction", "--examples", "9", "--direction", "both", "--groups", "some=a0.h1,m0"],
      ["corrupt-effects.csv", "restore-effects.csv", "restore-groups.csv"]
    ),
    (["patch", "induction", "--examples", "9", "--of", "layers", "--by-position"], ["effects.csv"]),
    (["ablate", "induction", "--examples", "9"], [""]),
    (
      ["explain", "example", "--all", "--refits", "0"],
      ["explanations.csv", "counterfactuals.csv", "importance.csv", "summary.json"]
    ),
    (["importance", "example", "--method", "permutation"], ["importance.csv"]),
    (["importance", "example", "--method", "occlusion"], ["importance.csv"]),
    (["importance", "example", "--method", "shap"], ["importance.csv"]),
    (["importance", "example", "--method", "sampling-shap", "--rows", "200"], ["importance.csv"]),
    (
      [
        "compare", "induction", "--examples", "9", "--judging-examples", "9", "--methods", "atp,ig,eap",
        "--steps",
        "2",
      ], ["comparison.csv", "comparison.json"]
    ),
  ]

  @Test(arguments: commands.indices)
  func mergedPartsAreOneRun(place: Int) throws {
    try withSmallModel { folder, model in
      var (words, files) = Self.commands[place]
      if words[0] != "explain", words[0] != "importance" { words += ["--model", model] }
      let whole = try headlamp(words + ["--output", folder + "/whole"])
      try #require(whole.exitCode == 0, "\(words): \(whole.errors)")
      for count in [1, 2, 3] {
        var parts: [String] = []
        for index in 1...count {
          let part = folder + "/\(count)-\(index)"
          let made = try headlamp(words + ["--shard", "\(index)/\(count)", "--output", part])
          try #require(made.exitCode == 0, "\(words): \(made.errors)")
          parts.append(part)
        }
        let out = folder + "/merged-\(count)"
        let merged = try headlamp(["merge"] + parts.reversed() + ["--output", out])
        try #require(merged.exitCode == 0, "\(words): \(merged.errors)")
        for file in files {
          let name = file.isEmpty ? "" : "/" + file
          let one = try String(contentsOfFile: folder + "/whole" + name, encoding: .utf8)
          let all = try String(contentsOfFile: out + name, encoding: .utf8)
          #expect(
            Self.differ(Self.timeless(one), Self.timeless(all)) == nil, "\(words), \(count) parts, \(file)")
        }
      }
    }
  }

  /// A table without its columns of times and memory; any other text as it is.
  static func timeless(_ text: String) -> String {
    let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    guard let header = lines.first, header.contains("seconds") else { return text }
    let kept = header.indices.filter { !["seconds", "peak_memory_mib"].contains(header[$0]) }
    return lines.map { line in
      kept.filter { $0 < line.count }.map { String(line[$0]) }.joined(separator: ",")
    }.joined(separator: "\n")
  }

  /// The first cells that differ by more than 10⁻⁶, or by anything where they are no numbers; nil where none do. How long
  /// something took is no result.
  static func differ(_ one: String, _ other: String) -> String? {
    func cells(_ text: String) -> [Substring] {
      text.split { ",\n\"[]{}: ".contains($0) }
    }
    let (left, right) = (cells(one), cells(other))
    guard left.count == right.count else { return "\(left.count) cells and \(right.count)" }
    var isTime = false
    for (a, b) in zip(left, right) {
      defer { isTime = a == "seconds" || a == "peakMemory" }
      if a == b || isTime { continue }
      if let x = Double(a), let y = Double(b), abs(x - y) <= 1e-6 * max(1, abs(x)) { continue }
      return "\(a) and \(b)"
    }
    return nil
  }

  @Test func differencesAreSeen() {
    #expect(Self.differ("a,1.0", "a,1.0000001") == nil)
    #expect(Self.differ("a,1.0", "a,1.001") != nil)
    #expect(Self.differ("a,1.0", "b,1.0") != nil)
    #expect(Self.differ("a,1", "a,1,2") != nil)
  }

  @Test func recordingsInPartsAreMerged() throws {
    try withSmallModel { folder, model in
      let words = ["record", "induction", "--model", model, "--examples", "12"]
      #expect(try headlamp(words + ["--output", folder + "/whole.h5"]).exitCode == 0)
      for count in [1, 2, 3, 7] {
        var parts: [String] = []
        for index in 1...count {
          parts.append(folder + "/\(count)-\(index).h5")
          let made = try headlamp(
            words + ["--shard", "\(index)/\(count)", "--output", parts[index - 1]])
          try #require(made.exitCode == 0, "\(made.errors)")
        }
        let out = folder + "/merged-\(count).h5"
        let merged = try headlamp(["merge"] + parts + ["--output", out])
        #expect(merged.exitCode == 0, "\(merged.errors)")
        // Whatever reads recordings reads merged ones: the same codes, the same ranking.
        let copy = try headlamp(["merge"] + parts + ["--copy", "--output", folder + "/copy-\(count).h5"])
        #expect(copy.exitCode == 0, "\(copy.errors)")
        let (one, two) = (
          try headlamp(["inspect", folder + "/whole.h5"]), try headlamp(["inspect", out])
        )
        #expect(one.output == two.output && two.exitCode == 0, "\(two.errors)\(two.output)")
        for (name, path) in [("a", out), ("b", folder + "/copy-\(count).h5")] {
          let trained = try headlamp([
            "train", path, "--epochs", "3", "--output", folder + "/\(name).safetensors",
          ])
          #expect(trained.exitCode == 0, "\(trained.errors)")
        }
        // A part that was made already is not made again.
        let again = try headlamp(words + ["--shard", "1/\(count)", "--output", parts[0]])
        #expect(again.exitCode == 0 && again.errors.contains("part 1/\(count) is there already"))
      }
      // Parts of one result alone.
      let seed = try headlamp(
        words + ["--seed", "1", "--shard", "2/2", "--output", folder + "/seed.h5"])
      #expect(seed.exitCode == 0, "\(seed.errors)")
      let mixed = try headlamp([
        "merge", folder + "/2-1.h5", folder + "/seed.h5", "--output", folder + "/no.h5",
      ])
      #expect(
        mixed.exitCode == 1
          && mixed.errors
            == "headlamp: \(folder)/seed.h5 belongs to another result than \(folder)/2-1.h5: its "
            + "seed is '1', not '0'\n",
        "\(mixed.errors)")
      let missing = try headlamp([
        "merge", folder + "/3-1.h5", folder + "/3-3.h5", "--output", folder + "/no.h5",
      ])
      #expect(
        missing.exitCode == 1
          && missing.errors == "headlamp: part 2 of 3 is missing; make it with --shard 2/3\n",
        "\(missing.errors)")
      try FileManager.default.removeItem(atPath: folder + "/3-2.h5")
      let gone = try headlamp(["inspect", folder + "/merged-3.h5"])
      #expect(
        gone.exitCode == 1 && gone.errors.contains("3-2.h5, and that is not there; put it back"),
        "\(gone.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/no.h5"))
    }
  }

  @Test(arguments: [
    (["record", "ioi", "--shard", "0/3", "--output", "x"], 2, "--shard wants a part such as 2/7"),
    (["record", "ioi", "--shard", "4/3", "--output", "x"], 2, "--shard wants a part such as 2/7"),
    (["record", "ioi", "--shard", "1/3"], 2, "--output is needed here"),
    (
      ["record", "ioi", "--examples", "2", "--shard", "1/9", "--output", "x"], 2,
      "--shard 1/9 asks for more parts than there are prompts: 4"
    ),
    (["attribute", "ioi", "--shard", "1/3"], 2, "--shard needs --output, a folder for the part"),
    (["attribute", "ioi", "--method", "acdc", "--shard", "1/3", "--output", "x"], 2, "all prompts together"),
    (["patch", "ioi", "--pairs", "3", "--shard", "1/3", "--output", "x"], 2, "--pairs chooses heads by all"),
    (["explain", "example", "--shard", "1/3", "--output", "x"], 2, "--shard goes with --all"),
    (["importance", "example", "--shard", "1/3", "--output", "x"], 2, "--shard goes with a --method"),
    (["merge", "--output", "x"], 2, "SHARD is missing"),
    (["merge", "a.h5"], 2, "--output is needed here"),
    (["merge", "absent.h5", "--output", "x"], 1, "cannot read absent.h5: there is no such part"),
    (["merge", "/", "--output", "x"], 1, "/ is no finished part of a result: it has no shard.json"),
  ])
  func misuseIsOneLine(words: [String], code: Int32, sentence: String) throws {
    try withTemporaryFolder { folder in
      let result = try headlamp(words, folder: folder)
      #expect(result.exitCode == code, "\(result.errors)")
      #expect(result.errors.contains(sentence), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func foldersThatDoNotFitAreNamed() throws {
    try withSmallModel { folder, model in
      let words = ["attribute", "induction", "--model", model, "--examples", "6", "--method", "atp"]
      for (index, seed) in [(1, 0), (2, 0), (2, 1)] {
        let made = try headlamp(
          words + ["--seed", "\(seed)", "--shard", "\(index)/2", "--output", folder + "/\(index)-\(seed)"])
        try #require(made.exitCode == 0, "\(made.errors)")
      }
      func merge(_ names: String...) throws -> CommandResult {
        try headlamp(["merge"] + names.map { folder + "/" + $0 } + ["--output", folder + "/out"])
      }
      let foreign = try merge("1-0", "2-1")
      #expect(
        foreign.exitCode == 1 && foreign.errors.contains("its seed is '1', not '0'"), "\(foreign.errors)")
      let twice = try merge("1-0", "2-0", "1-0")
      #expect(twice.exitCode == 1 && twice.errors.contains("are both part 1/2"), "\(twice.errors)")
      let missing = try merge("2-0")
      #expect(
        missing.exitCode == 1 && missing.errors.contains("part 1 of 2 is missing"), "\(missing.errors)")
      // Another model under the same name.
      let other = try headlamp([
        "train-model", "induction", "--output", folder + "/other", "--layers", "2", "--heads", "4",
        "--d-model", "32", "--steps", "1", "--batch", "8", "--pairs", "200", "--seed", "5",
      ])
      try #require(other.exitCode == 0, "\(other.errors)")
      try FileManager.default.moveItem(atPath: model, toPath: folder + "/kept")
      try FileManager.default.moveItem(atPath: folder + "/other", toPath: model)
      let changed = try merge("1-0", "2-0")
      #expect(
        changed.exitCode == 1
          && changed.errors.contains("was made from something else than what is here now"),
        "\(changed.errors)")
      try FileManager.default.removeItem(atPath: model)
      try FileManager.default.moveItem(atPath: folder + "/kept", toPath: model)
      #expect(try merge("1-0", "2-0").exitCode == 0)
      let path = folder + "/2-0/values.safetensors"
      var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      let damaged = try merge("1-0", "2-0")
      #expect(
        damaged.exitCode == 1 && damaged.errors.contains("2-0 is damaged: its values.safetensors is not"),
        "\(damaged.errors)")
      #expect(damaged.errors.split(separator: "\n").count == 1)
    }
  }
}
