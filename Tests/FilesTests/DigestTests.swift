// SHA-256 of files: the digests that FIPS 180-4 gives for its examples, and files larger than the buffer.

import Files
import TestSupport
import Testing

@Suite struct DigestTests {
  @Test func publishedExamples() throws {
    // FIPS 180-4, examples of NIST's cryptographic toolkit: "abc" and a million times "a".
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    let million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    #expect(sha256(of: "abc") == abc)
    try withTemporaryFolder { folder in
      try writeFile("abc", to: folder + "/abc")
      #expect(try sha256(ofFileAt: folder + "/abc") == abc)
      try writeFile(String(repeating: "a", count: 1_000_000), to: folder + "/million")
      #expect(try sha256(ofFileAt: folder + "/million") == million)
      let long = String(repeating: "headlamp ", count: 400_000)
      try writeFile(long, to: folder + "/long")
      #expect(try sha256(ofFileAt: folder + "/long") == sha256(of: long))
      #expect(throws: FileError.self) { try sha256(ofFileAt: folder + "/absent") }
      #expect(throws: FileError.self) { try sha256(ofFileAt: folder) }
    }
  }
}
