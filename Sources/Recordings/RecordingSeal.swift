// The last bytes of a finished recording: a digest of everything before them.
//
// HDF5 1.10 trusts lengths and addresses that it reads from a file, so that a damaged one can end the process or keep it
// busy without end. A recording of this program is therefore checked before HDF5 sees it. HDF5 ignores what stands
// behind its own end of a file, and takes it away when it opens the file for writing: a recording that another program
// has changed has no seal, and is read as any other program's file is.

import Files

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Seals finished recordings, and checks seals.
enum RecordingSeal {
  private static let label = "headlamp recording, sha256 "
  private static let digits = 64
  private static var length: Int { label.utf8.count + digits + 1 }

  /// Appends the seal to a file that is whole.
  /// - Returns: SHA-256 of the file, the seal included.
  static func append(to path: String) throws(RecordingError) -> String {
    let digest = SHA256Digest()
    do throws(FileError) {
      let file = try MappedFile(path: path)
      digest.update(file, 0..<file.bytes.count)
    } catch {
      throw .unwritable(path: path, reason: "\(error)")
    }
    let whole = digest.copy()
    let seal = label + digest.hexadecimal() + "\n"
    whole.update(seal)
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    defer { close(descriptor) }
    let bytes = Array(seal.utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw .unwritable(path: path, reason: lastSystemError())
    }
    return whole.hexadecimal()
  }

  /// Checks a file's seal.
  /// - Returns: SHA-256 of the file, the seal included; nil where it has none.
  /// - Throws: `malformed` where the seal is not that of the bytes before it.
  static func check(_ path: String) throws(RecordingError) -> String? {
    let file: MappedFile
    do throws(FileError) {
      file = try MappedFile(path: path)
    } catch .unreadable(_, let reason) {
      throw .unreadable(path: path, reason: reason)
    } catch {
      throw .unreadable(path: path, reason: "it is a folder")
    }
    let end = file.bytes.count - length
    guard end >= 0 else { return nil }
    let seal = String(decoding: file.bytes[end...], as: UTF8.self)
    guard seal.hasPrefix(label), seal.hasSuffix("\n") else { return nil }
    let digest = SHA256Digest()
    digest.update(file, 0..<end)
    let whole = digest.copy()
    guard digest.hexadecimal() == seal.dropFirst(label.count).prefix(digits) else {
      throw .malformed(path: path, problem: "its bytes are not those that were written; record it again")
    }
    whole.update(seal)
    return whole.hexadecimal()
  }
}
