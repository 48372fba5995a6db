// Outputs are whole or absent.

import Files
import Foundation
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  @Test func appearsOnlyAfterCommit() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.txt"
      let file = try AtomicFile(path: path)
      try file.write("whole")
      #expect(!FileManager.default.fileExists(atPath: path))
      try file.commit()
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "whole")
    }
  }

  @Test func anAbandonedFileLeavesNothing() throws {
    try withTemporaryFolder { folder in
      do {
        let file = try AtomicFile(path: folder + "/b.txt")
        try file.write("half")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func aMissingFolderIsNamed() {
    #expect(throws: FileError.unwritable(path: "/nowhere/x", reason: "No such file or directory")) {
      try writeFile("x", to: "/nowhere/x")
    }
  }

  @Test func sha256OfAKnownText() throws {
    try withTemporaryFolder { folder in
      try writeFile("abc", to: folder + "/abc")
      // FIPS 180-2, appendix B.1.
      #expect(
        try sha256(ofFileAt: folder + "/abc")
          == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
  }
}
