// A failure at every step of writing in turn: the file is the new one, or the old one, and nothing else is left.

import Foundation
import TestSupport
import Testing

@testable import Files

/// Ends an exit test's process where something does not hold.
private func insist(_ holds: Bool, _ message: String) {
  guard !holds else { return }
  FileHandle.standardError.write(Data((message + "\n").utf8))
  exit(3)
}

private func content(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

/// Enough for several writes, past the buffer.
private let longText = String(repeating: "0123456789abcdef", count: 200_000)

/// Faults belong to the process, so each test that programs some has one of its own.
@Suite struct FaultTests {
  @Test func aFailureAtAnyStepLeavesTheOldFileOrTheNew() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/out.txt"
        for code in [ENOSPC, EIO, EDQUOT] {
          var (failures, isDone) = (0, false)
          while !isDone {
            let number = failures + 1
            try "old".write(toFile: path, atomically: true, encoding: .utf8)
            Faults.program([Fault(nil, number, .error(code))])
            var failed: FileError?
            do throws(FileError) { try writeFile(longText, to: path) } catch { failed = error }
            Faults.program([])
            let found = content(path)
            insist(found == "old" || found == longText, "step \(number): half a file")
            insist(
              try FileManager.default.contentsOfDirectory(atPath: folder) == ["out.txt"],
              "step \(number): leftovers")
            switch failed {
            case nil:
              insist(found == longText && failures >= 5, "\(failures) steps")
              isDone = true
            case .unwritable(_, let reason):
              insist(reason == String(cString: strerror(code)), "step \(number): \(reason)")
              failures += 1
            default: insist(false, "step \(number): \(String(describing: failed))")
            }
          }
        }
      }
    }
  }

  @Test func interruptionsAndShortWritesAreGoneOnFrom() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/out.txt"
        for number in 1...12 {
          for kind in [Fault.Kind.error(EINTR), .short] {
            Faults.program([
              Fault(nil, number, kind), Fault(.write, 1, .short), Fault(.write, 2, .error(EINTR)),
            ])
            try writeFile(longText, to: path)
            insist(content(path) == longText, "step \(number)")
          }
        }
      }
    }
  }

  @Test func foldersAreMadeOrTheFailureSaysWhy() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        Faults.program([Fault(.folder, folder.split(separator: "/").count + 2, .error(EROFS))])
        do {
          try makeFolder(folder + "/a/b")
          insist(false, "no error")
        } catch {
          insist("\(error)".contains(String(cString: strerror(EROFS))), "\(error)")
        }
      }
    }
  }

  @Test func whatIsInsistedOnIsHeldTo() async {
    await #expect(processExitsWith: .exitCode(3)) { insist(false, "as it should") }
  }

  @Test func faultsAreReadFromText() {
    #expect(Fault(text: "write@3:ENOSPC") == Fault(.write, 3, .error(ENOSPC)))
    #expect(Fault(text: "any@12:kill") == Fault(nil, 12, .kill))
    #expect(Fault(text: "write@1:short") == Fault(.write, 1, .short))
    for text in ["", "write", "write@0:EIO", "write@1:EWHAT", "wrote@1:EIO", "write@x:EIO"] {
      #expect(Fault(text: text) == nil, "\(text)")
    }
  }
}

@Suite struct OutputTests {
  @Test func aLinkIsReplacedAndNeverFollowed() throws {
    try withTemporaryFolder { folder in
      let (victim, path) = (folder + "/victim", folder + "/out")
      try writeFile("precious", to: victim)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: victim)
      try writeFile("new", to: path)
      #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
      #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: path)) == nil)
    }
  }

  @Test func devicesAndPipesAreRefused() throws {
    try withTemporaryFolder { folder in
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      for path in ["/dev/null", "/dev/stdout", folder + "/pipe"] {
        #expect(throws: FileError.self) { try writeFile("x", to: path) }
      }
      #expect(FileManager.default.fileExists(atPath: "/dev/null"))
      #expect(
        throws: FileError.unreadable(
          path: folder + "/pipe", reason: "it is a device or a pipe, and a file is needed")
      ) { try MappedFile(path: folder + "/pipe") }
    }
  }

  @Test func permissionsAreKeptOrUsual() throws {
    try withTemporaryFolder { folder in
      func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      }
      let earlier = umask(0o027)
      defer { umask(earlier) }
      try writeFile("x", to: folder + "/new")
      #expect(try mode(folder + "/new") == 0o640)
      #expect(chmod(folder + "/new", 0o600) == 0)
      try writeFile("y", to: folder + "/new")
      #expect(try mode(folder + "/new") == 0o600)
    }
  }

  @Test func aFolderThatWasReplacedIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out"
      try claimFolder(path)
      try writeFile("x", to: path + "/a")
      try FileManager.default.moveItem(atPath: path, toPath: folder + "/moved")
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      #expect(
        throws: FileError.unwritable(
          path: path + "/b", reason: "its folder was moved or replaced while it was in use")
      ) { try writeFile("x", to: path + "/b") }
    }
  }

  /// What a process leaves that is killed between giving a new file its temporary name and its own.
  @Test func temporaryFilesOfKilledProcessesAreRemoved() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      let left = unguessableName(in: path)
      for name in [left, path + "/.headlamp-note.tmp", path + "/kept", path + "/.hidden"] {
        try "x".write(toFile: name, atomically: false, encoding: .utf8)
      }
      try claimFolder(path)
      #expect(
        try Set(FileManager.default.contentsOfDirectory(atPath: path))
          == [".headlamp-note.tmp", "kept", ".hidden"])
      #expect(entries(of: path) == ["kept"])
    }
  }

  @Test func namesCannotBeGuessed() {
    let names = Set((0..<1000).map { _ in unguessableName(in: ".") })
    #expect(names.count == 1000)
    #expect(names.allSatisfy { $0.utf8.count == "./.headlamp-".utf8.count + 32 + 4 })
  }
}
