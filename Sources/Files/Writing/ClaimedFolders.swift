// One process at a time writes into an output folder.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes an output folder and keeps other processes of this program out of it until this one ends.
///
/// Files that are then written into it are refused where another folder has taken its place meanwhile. Temporary files of
/// processes that were killed while they wrote there are removed.
/// - Throws: `FileError.inUse` with the other process's number where one writes there; what `makeFolder` throws.
public func claimFolder(_ path: String) throws(FileError) {
  try makeFolder(path)
  try ClaimedFolders.claim(path)
}

/// The folders that this process has claimed.
enum ClaimedFolders {
  private static let claimed = Mutex<[String: FileIdentity]>([:])

  static func claim(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    guard let identity = FileIdentity(descriptor) else {
      close(descriptor)
      throw .unwritable(path: path, reason: lastSystemError())
    }
    let isOurs = claimed.withLock { folders in
      let isOurs = folders.values.contains(identity)
      folders[path] = identity
      return isOurs
    }
    if isOurs {
      close(descriptor)
      return
    }
    do throws(FileError) {
      // The descriptor stays open, and the lock with it, until the process ends.
      try lock(descriptor, path: path)
    } catch {
      close(descriptor)
      claimed.withLock { $0[path] = nil }
      throw error
    }
    for name in allEntries(of: path) where isTemporaryName(name) { unlink(path + "/" + name) }
  }

  /// Refuses to write where a claimed folder was replaced by another.
  static func check(_ folder: String, for path: String) throws(FileError) {
    guard let identity = claimed.withLock({ $0[folder] }) else { return }
    guard FileIdentity(path: folder) == identity else {
      throw .unwritable(path: path, reason: "its folder was moved or replaced while it was in use")
    }
  }
}

/// What makes a file the same file, whatever its name.
package struct FileIdentity: Equatable, Sendable {
  package var device: UInt64
  package var number: UInt64

  /// The file that is open; nil where the system does not say.
  package init?(_ descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The file at a path; nil where there is none.
  package init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
  }
}

/// Locks an open file or folder against other processes, without waiting.
/// - Throws: `FileError.inUse` where another process holds the lock. File systems without locks are used without.
package func lock(_ descriptor: Int32, path: String) throws(FileError) {
  guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
  throw .inUse(path: path, process: FileIdentity(descriptor).flatMap(holder(of:)))
}

/// Gives back a lock that `lock` has taken.
package func unlock(_ descriptor: Int32) { flock(descriptor, LOCK_UN) }

/// The process that holds the lock on a file, as far as the system says.
private func holder(of file: FileIdentity) -> Int? {
  let descriptor = open("/proc/locks", O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 14)
  while true {
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { break }
    bytes += chunk[..<count]
  }
  // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF": the process, then the device and the file's number.
  for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
    let words = line.split(separator: " ")
    guard words.count > 5, words[1] == "FLOCK", let process = Int(words[4]), process > 0,
      words[5].split(separator: ":").last.flatMap({ UInt64($0) }) == file.number
    else { continue }
    return process
  }
  return nil
}
