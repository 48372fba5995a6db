// Zip archives: the list of their members, and one member's bytes.

import CZlib

/// A zip archive's members.
public struct ZipArchive {
  /// A member of an archive.
  public struct Member: Equatable, Sendable {
    /// The member's path in the archive.
    public var name: String
    fileprivate var method: Int
    fileprivate var checksum: UInt32
    fileprivate var packedSize: Int
    fileprivate var size: Int
    fileprivate var headerOffset: Int
  }

  /// The members that are files, in the archive's order.
  public let members: [Member]
  private let bytes: UnsafeRawBufferPointer
  private let path: String

  /// Reads the directory of an archive; `bytes` must stay valid as long as it is used.
  /// - Throws: `FileError.corrupt` where there is none.
  public init(_ bytes: UnsafeRawBufferPointer, path: String) throws(FileError) {
    self.bytes = bytes
    self.path = path
    // The directory's place stands at the end, before a comment of up to 65,535 bytes.
    var end = bytes.count - 22
    let first = max(0, end - 65_535)
    while end >= first, Self.number(bytes, end, 4) != 0x0605_4b50 { end -= 1 }
    guard end >= first, bytes.count >= 22 else {
      throw .corrupt(path: path, reason: "the zip archive has no directory")
    }
    let count = Self.number(bytes, end + 10, 2)
    var at = Self.number(bytes, end + 16, 4)
    var members: [Member] = []
    for _ in 0..<count {
      guard at >= 0, at + 46 <= bytes.count, Self.number(bytes, at, 4) == 0x0201_4b50 else {
        throw .corrupt(path: path, reason: "the zip archive's directory is broken")
      }
      let (nameLength, extra, comment) = (
        Self.number(bytes, at + 28, 2), Self.number(bytes, at + 30, 2), Self.number(bytes, at + 32, 2)
      )
      guard at + 46 + nameLength <= bytes.count else {
        throw .corrupt(path: path, reason: "the zip archive's directory is broken")
      }
      let name = String(decoding: bytes[at + 46..<at + 46 + nameLength], as: UTF8.self)
      if !name.hasSuffix("/") {
        members.append(
          Member(
            name: name, method: Self.number(bytes, at + 10, 2),
            checksum: UInt32(truncatingIfNeeded: Self.number(bytes, at + 16, 4)),
            packedSize: Self.number(bytes, at + 20, 4),
            size: Self.number(bytes, at + 24, 4), headerOffset: Self.number(bytes, at + 42, 4)))
      }
      at += 46 + nameLength + extra + comment
    }
    self.members = members
  }

  private static func number(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ count: Int) -> Int {
    guard at >= 0, at + count <= bytes.count else { return -1 }
    return (0..<count).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) }
  }

  /// A member's bytes, unpacked.
  /// - Throws: `FileError.corrupt` where they are broken or packed in a way that is not read.
  public func contents(of member: Member) throws(FileError) -> [UInt8] {
    let broken = FileError.corrupt(path: path, reason: "'\(member.name)' in the zip archive is broken")
    let header = member.headerOffset
    guard Self.number(bytes, header, 4) == 0x0403_4b50 else { throw broken }
    let start = header + 30 + Self.number(bytes, header + 26, 2) + Self.number(bytes, header + 28, 2)
    guard start >= 0, member.packedSize >= 0, start + member.packedSize <= bytes.count, member.size >= 0
    else { throw broken }
    let packed = UnsafeRawBufferPointer(rebasing: bytes[start..<start + member.packedSize])
    switch member.method {
    case 0: return Array(packed)
    case 8: break
    default:
      throw .corrupt(
        path: path, reason: "'\(member.name)' in the zip archive is packed by method \(member.method)")
    }
    // Deflate cannot shrink more than about a thousandfold: a larger size is a broken directory.
    guard member.size <= packed.count * 1032 + 64, member.size < Int(UInt32.max),
      packed.count < Int(UInt32.max)
    else { throw broken }
    guard member.size <= Limit.unpacked.value else {
      throw .overLimit(path: path, limit: .unpacked, asked: member.size, of: "decompressed text")
    }
    var stream = z_stream()
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw .corrupt(path: path, reason: "zlib could not start")
    }
    defer { inflateEnd(&stream) }
    var status = Z_OK
    let output = [UInt8](unsafeUninitializedCapacity: max(1, member.size)) { buffer, initialized in
      stream.next_in = UnsafeMutablePointer(mutating: packed.baseAddress?.assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(packed.count)
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(buffer.count)
      status = inflate(&stream, Z_FINISH)
      initialized = buffer.count - Int(stream.avail_out)
    }
    guard status == Z_STREAM_END, output.count == member.size, crc32(of: output) == member.checksum else {
      throw broken
    }
    return output
  }
}
