// Every seed and every input that was once a finding, through its reader. `make fuzz` looks for more.

import Foundation
import FuzzReaders
import TestSupport
import Testing

@Suite(.serialized) struct FuzzCorpusTests {
  @Test(arguments: FuzzReader.all.map(\.name)) func theCorpusIsReadOrRefused(name: String) throws {
    let reader = try #require(FuzzReader.all.first { $0.name == name })
    let folder = packageFolder + "/Tests/Fuzz/Corpus/" + name
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(!names.isEmpty)
    var sound = 0
    for file in names {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file))
      if reader.read(Array(bytes)) { sound += 1 }
      // Nothing within reach of a single cut or flip may trap either.
      for place in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 20)) {
        reader.read(Array(bytes.prefix(place)))
        var changed = bytes
        changed[place] ^= 0x80
        reader.read(Array(changed))
      }
    }
    #expect(sound > 0, "no seed of \(name) is sound")
  }
}
