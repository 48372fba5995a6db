// Parts of work: what each has, and what is said of parts that do not belong together.

import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct ShardTests {
  private func part(_ index: Int, of count: Int) throws -> Shard {
    try #require(Shard(index, of: count))
  }

  /// Every small case: parts follow each other, leave nothing out and differ in size by one at most.
  @Test func partsCoverEverythingOnce() throws {
    for total in 1...40 {
      for count in 1...total {
        var next = 0
        var sizes: Set<Int> = []
        for index in 1...count {
          let range = try #require(Shard(index, of: count)).range(of: total, "prompts")
          #expect(range.lowerBound == next, "\(index)/\(count) of \(total)")
          next = range.upperBound
          sizes.insert(range.count)
        }
        #expect(next == total && sizes.count <= 2 && (sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
      }
    }
    let large = try #require(Shard(999_999, of: 1_000_000))
    #expect(try large.range(of: .max, "prompts").count >= Int.max / 1_000_000)
  }

  @Test func partsAreReadAsTheyAreWritten() throws {
    #expect(Shard(text: "2/7") == Shard(2, of: 7))
    #expect(Shard(text: "2/7")?.description == "2/7")
    for text in [
      "", "0/7", "8/7", "2", "2/", "/7", "-1/7", "+1/7", "1/0", "1/1000001", "1/2/3", "a/b", " 1/2", "1/ 2",
      "99999999999999999999/99999999999999999999", "１/２",
    ] {
      #expect(Shard(text: text) == nil, "\(text)")
    }
    let first = try part(1, of: 3)
    #expect(throws: ShardError.tooManyParts(shard: first, total: 2, unit: "rows")) {
      try first.range(of: 2, "rows")
    }
  }

  static func manifest(
    _ index: Int, _ count: Int, command: String = "attribute", total: Int = 10, seed: String = "0"
  ) throws -> ShardManifest {
    try ShardManifest(
      #require(Shard(index, of: count)), command: command, unit: "prompts", total: total,
      facts: [.init("seed", seed), .init("model_sha256", "ab")], words: ["--method=eap", "--", "ioi"])
  }

  @Test func manifestsComeBack() throws {
    let manifest = try Self.manifest(2, 3)
    #expect(try ShardManifest(text: manifest.json.line, of: "x") == manifest)
    #expect(try ShardManifest(text: manifest.json.text(), of: "x") == manifest)
    #expect(manifest.range == 3..<6)
    for text in ["", "{}", "[1]", #"{"schema_version": 2}"#, #"{"schema_version": 1, "shard": "3/2"}"#] {
      #expect(throws: ShardError.self, "\(text)") { try ShardManifest(text: text, of: "x") }
    }
  }

  @Test func orderAndWhatIsWrong() throws {
    let parts = try [3, 1, 2].map { ("p\($0)", try Self.manifest($0, 3)) }
    #expect(try orderedShards(parts) == [1, 2, 0])
    #expect(throws: ShardError.missing([2], count: 3)) { try orderedShards(Array(parts.prefix(2))) }
    #expect(throws: ShardError.missing([1, 2], count: 3)) { try orderedShards(Array(parts.prefix(1))) }
    let first = try part(1, of: 3)
    #expect(throws: ShardError.repeated(path: "q", shard: first, other: "p1")) {
      try orderedShards(parts + [("q", try Self.manifest(1, 3))])
    }
    let foreign: [(ShardManifest, String)] = [
      (try Self.manifest(2, 3, seed: "1"), "its seed is '1', not '0'"),
      (try Self.manifest(2, 4), "its number of parts is '4', not '3'"),
      (try Self.manifest(2, 3, command: "patch"), "its command is 'patch', not 'attribute'"),
      (
        try Self.manifest(2, 3, total: 11), "its number of prompts is '11 prompts', not '10 prompts'"
      ),
    ]
    for (manifest, difference) in foreign {
      #expect(throws: ShardError.foreign(path: "f", difference: difference, first: "p3")) {
        try orderedShards([parts[0], parts[1], ("f", manifest)])
      }
    }
  }

  @Test func aSealedFolderTellsEveryChange() throws {
    try withTemporaryFolder { folder in
      try writeFile("values", to: folder + "/values.json")
      #expect(!ShardFolder.isThere(folder))
      #expect(throws: ShardError.self) { try ShardFolder(path: folder) }
      let manifest = try Self.manifest(1, 2)
      try ShardFolder.seal(folder, manifest, files: ["values.json"])
      #expect(try ShardFolder(path: folder).manifest == manifest)
      try writeFile("valuez", to: folder + "/values.json")
      #expect(
        throws: ShardError.damaged(path: folder, problem: "its values.json is not what was written")
      ) { try ShardFolder(path: folder) }
      removeFile(folder + "/values.json")
      #expect(throws: ShardError.damaged(path: folder, problem: "its values.json is missing")) {
        try ShardFolder(path: folder)
      }
      try writeFile("values", to: folder + "/values.json")
      let text = try readText(at: folder + "/shard.json")
      try writeFile(text.replacing("\"seed\": \"0\"", with: "\"seed\": \"1\""), to: folder + "/shard.json")
      #expect(
        throws: ShardError.damaged(path: folder, problem: "its shard.json is not what was written")
      ) { try ShardFolder(path: folder) }
    }
  }
}
