// Files of our own with one byte changed: refused, never read to something else.

import Foundation
import TestSupport
import Testing

@Suite struct DigestTests {
  /// Changes one byte at some places of a file, and reads it with a command each time.
  private func changes(_ path: String, _ words: [String], folder: String) throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path))
    let fine = try headlamp(words, folder: folder)
    try #require(fine.exitCode == 0, "\(fine.errors)")
    for part in 1...12 {
      var bytes = whole
      let place = bytes.count * part / 13
      // A digit stays a digit, so that nothing but the digest can tell.
      bytes[place] = bytes[place] == UInt8(ascii: "1") ? UInt8(ascii: "2") : bytes[place] ^ 1
      try bytes.write(to: URL(fileURLWithPath: folder + "/" + path))
      let result = try headlamp(words, folder: folder)
      #expect(result.exitCode == 1, "byte \(place) of \(path): \(result.output)")
      #expect(
        result.errors.hasPrefix("headlamp: ") && result.errors.split(separator: "\n").count == 1,
        "\(result.errors)")
    }
    try whole.write(to: URL(fileURLWithPath: folder + "/" + path))
  }

  @Test func autoencodersAndRecordings() throws {
    try withSmallModel { folder, _ in
      let record = ["record", "induction", "--model", "model", "--examples", "20", "--output", "r.h5"]
      #expect(try headlamp(record, folder: folder).exitCode == 0)
      let train = ["train", "r.h5", "--epochs", "5", "--output", "a.safetensors"]
      #expect(try headlamp(train, folder: folder).exitCode == 0)
      try changes("a.safetensors", ["inspect", "a.safetensors"], folder: folder)
      try changes("r.h5", ["inspect", "r.h5"], folder: folder)
    }
  }

  @Test(arguments: [("boosted", "m.json"), ("mlp", "m.safetensors")])
  func modelsOfTables(kind: String, file: String) throws {
    try withTemporaryFolder { folder in
      let fit = ["fit", "example", "--black-box", kind, "--folds", "0", "--output", file]
      #expect(try headlamp(fit, folder: folder).exitCode == 0)
      try changes(file, ["importance", "example", "--black-box", file], folder: folder)
    }
  }

  @Test func trainedModels() throws {
    try withTemporaryFolder { folder in
      let train = [
        "train-model", "induction", "--layers", "1", "--heads", "2", "--d-model", "16", "--steps", "3",
        "--batch",
        "4", "--pairs", "50", "--output", "m",
      ]
      #expect(try headlamp(train, folder: folder).exitCode == 0)
      try changes(
        "m/model.safetensors",
        ["record", "induction", "--model", "m", "--examples", "2", "--output", "r.h5"], folder: folder)
    }
  }

  /// A file that was laid out anew has no digest in its place, and is read.
  @Test func whatWasLaidOutAnewIsRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/m.json"
      #expect(
        try headlamp(["fit", "example", "--black-box", "boosted", "--folds", "0", "--output", path]).exitCode
          == 0)
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let object = try JSONSerialization.jsonObject(with: data)
      try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
        .write(to: URL(fileURLWithPath: path))
      #expect(try headlamp(["importance", "example", "--black-box", path]).exitCode == 0)
    }
  }
}
