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
    let written = Array(seal.utf8).withUnsafeBytes { SystemCalls.writeAll(descriptor, $0) }
    guard written == 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    return whole.hexadecimal()
  }

  /// Checks a file's seal.
  /// - Returns: SHA-256 of the file, the seal included; nil where it has none.
  /// - Throws: `malformed` where the seal is not that of the bytes before it, or something else stands in its place.
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
    let seal = end < 0 ? "" : String(decoding: file.bytes[end...], as: UTF8.self)
    guard seal.hasPrefix(label), seal.hasSuffix("\n") else {
      if let own = endOfHDF5(file.bytes), file.bytes.count != own {
        throw .malformed(
          path: path,
          problem: file.bytes.count > own
            ? "\(file.bytes.count - own) bytes that are no seal follow its end; record it again"
            : "it is cut short: \(own - file.bytes.count) of \(own) bytes are missing; record it again")
      }
      return nil
    }
    let digest = SHA256Digest()
    digest.update(file, 0..<end)
    let whole = digest.copy()
    guard digest.hexadecimal() == seal.dropFirst(label.count).prefix(digits) else {
      throw .malformed(path: path, problem: "its bytes are not those that were written; record it again")
    }
    whole.update(seal)
    return whole.hexadecimal()
  }

  /// Where HDF5 says that its part of a file ends; nil where that is not to be read at the usual place.
  ///
  /// Source: HDF5 File Format Specification 3.0, "Disk Format: Level 0A", superblock versions 0 to 3.
  private static func endOfHDF5(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 64, bytes.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) else {
      return nil
    }
    let version = bytes[8]
    let sizeOfOffsets = version < 2 ? bytes[13] : bytes[9]
    guard version <= 3, sizeOfOffsets == 8 else { return nil }
    let place = [0: 40, 1: 44][version] ?? 28
    let end = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
    return Int(exactly: end)
  }
}
