// Compressed files, decompressed into memory in one go.

import CZlib

/// The bytes of a gzip file (one member or several), decompressed.
/// - Throws: `FileError.truncated` where the stream ends early, `corrupt` where it is not sound or something other than
///   zeros follows it, `overLimit` where it becomes larger than `limit`.
public func gunzip(_ file: MappedFile, limit: Int = Limit.unpacked.value) throws(FileError) -> [UInt8] {
  var stream = z_stream()
  // 15 + 16: the largest window, and a gzip header rather than a zlib one.
  guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
    throw .corrupt(path: file.path, reason: "zlib could not start")
  }
  defer { inflateEnd(&stream) }
  var output: [UInt8] = []
  output.reserveCapacity(min(limit, expectedSize(file)))
  let piece = 1 << 20
  var consumed = 0
  var status = Z_OK
  while true {
    let available = min(file.bytes.count - consumed, 1 << 30)
    var produced = 0
    var taken = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: piece) { buffer, initialized in
      stream.next_in = UnsafeMutablePointer(
        mutating: file.bytes.baseAddress?.advanced(by: consumed).assumingMemoryBound(to: UInt8.self))
      stream.avail_in = UInt32(available)
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(piece)
      status = inflate(&stream, Z_NO_FLUSH)
      taken = available - Int(stream.avail_in)
      produced = piece - Int(stream.avail_out)
      initialized = produced
    }
    guard chunk.count <= limit - output.count else {
      throw .overLimit(path: file.path, limit: .unpacked, asked: nil, of: "decompressed text")
    }
    output += chunk
    consumed += taken
    // What has been inflated will not be looked at again.
    file.release(0..<consumed)
    if status == Z_STREAM_END {
      // Another member may follow, or zeros that fill a block. Anything else may be a member that was damaged.
      let rest = file.bytes[consumed...]
      guard rest.starts(with: [0x1f, 0x8b]) else {
        guard rest.allSatisfy({ $0 == 0 }) else {
          throw .corrupt(
            path: file.path, reason: "after its end, \(rest.count) bytes of something else follow")
        }
        return output
      }
      inflateReset(&stream)
    } else if status == Z_BUF_ERROR || (status == Z_OK && produced == 0 && taken == 0) {
      throw .truncated(path: file.path)
    } else if status != Z_OK {
      throw .corrupt(
        path: file.path, reason: stream.msg.map { String(cString: $0) } ?? "zlib error \(status)")
    }
  }
}

/// What the file's last four bytes say of the size (modulo 2³²), so that memory is taken once.
private func expectedSize(_ file: MappedFile) -> Int {
  guard file.bytes.count >= 18 else { return 0 }
  let size = Int(file.bytes.loadUnaligned(fromByteOffset: file.bytes.count - 4, as: UInt32.self).littleEndian)
  // A truncated file's last bytes are anything; deflate cannot shrink more than about a thousandfold.
  return min(size, file.bytes.count * 1032)
}

/// The CRC-32 of bytes, as gzip and zip files carry it.
public func crc32(of bytes: UnsafeRawBufferPointer) -> UInt32 {
  var checksum: UInt = 0
  var rest = bytes
  while let base = rest.baseAddress, !rest.isEmpty {
    let count = min(rest.count, 1 << 30)
    checksum = CZlib.crc32(checksum, base.assumingMemoryBound(to: UInt8.self), UInt32(count))
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
  return UInt32(checksum)
}

/// The CRC-32 of bytes, as gzip and zip files carry it.
public func crc32(of bytes: [UInt8]) -> UInt32 { bytes.withUnsafeBytes { crc32(of: $0) } }
