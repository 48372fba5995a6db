// The entries of a zip file, as far as PyTorch's checkpoints use the format: stored, not compressed.
//
// Source: PKWARE's APPNOTE (4.3 local headers and central directory, 4.4.1.4 and 4.5.3 ZIP64).

import Files

/// The places of a zip file's entries.
struct ZipArchive {
  /// Why a file cannot be read.
  struct Problem: Error {
    var text: String
  }

  /// The bytes of each entry's contents, by name.
  private(set) var entries: [String: Range<Int>] = [:]
  /// CRC-32 of each entry; 0 where the writer left it out.
  private var checksums: [String: UInt32] = [:]

  /// Reads the directory at the end of the file.
  init(_ bytes: UnsafeRawBufferPointer) throws(Problem) {
    let reader = LittleEndianReader(bytes: bytes)
    let end = try Self.endRecord(reader)
    var count = try reader.number(at: end + 10, bytes: 2)
    var place = try reader.number(at: end + 16, bytes: 4)
    if end >= 20, try reader.number(at: end - 20, bytes: 4) == 0x0706_4B50 {
      let wide = try reader.number(at: end - 12, bytes: 8)
      guard try reader.number(at: wide, bytes: 4) == 0x0606_4B50 else {
        throw Problem(text: "its zip directory has no sound 64-bit record")
      }
      count = try reader.number(at: wide + 32, bytes: 8)
      place = try reader.number(at: wide + 48, bytes: 8)
    }
    // An entry takes at least 46 bytes, so an absurd count ends at the end of the file.
    for _ in 0..<min(count, bytes.count / 46 + 1) {
      guard try reader.number(at: place, bytes: 4) == 0x0201_4B50 else {
        throw Problem(text: "its zip directory is damaged at byte \(place)")
      }
      place = try addEntry(at: place, reader)
    }
    guard entries.count == count else {
      throw Problem(text: "its zip directory does not hold \(count) entries")
    }
  }

  private static func endRecord(_ reader: LittleEndianReader) throws(Problem) -> Int {
    // A comment of up to 64 KiB may follow the record.
    var place = reader.bytes.count - 22
    let lowest = max(0, place - 0xFFFF)
    while place >= lowest {
      if try reader.number(at: place, bytes: 4) == 0x0605_4B50 { return place }
      place -= 1
    }
    throw Problem(text: "it is no zip file, or it is truncated: the directory at its end is missing")
  }

  /// Adds the entry whose directory record starts at `place`; the result is where the next one starts.
  private mutating func addEntry(at place: Int, _ reader: LittleEndianReader) throws(Problem) -> Int {
    let flags = try reader.number(at: place + 8, bytes: 2)
    let method = try reader.number(at: place + 10, bytes: 2)
    var size = try reader.number(at: place + 24, bytes: 4)
    let packedSize = try reader.number(at: place + 20, bytes: 4)
    let nameLength = try reader.number(at: place + 28, bytes: 2)
    let extraLength = try reader.number(at: place + 30, bytes: 2)
    let commentLength = try reader.number(at: place + 32, bytes: 2)
    var header = try reader.number(at: place + 42, bytes: 4)
    let name = try reader.text(at: place + 46, count: nameLength)
    guard flags & 1 == 0 else { throw Problem(text: "its entry '\(name)' is encrypted") }
    guard method == 0 else {
      throw Problem(
        text: "its entry '\(name)' is compressed (method \(method)); only stored entries are read")
    }
    var extra = place + 46 + nameLength
    let extraEnd = extra + extraLength
    while extra + 4 <= extraEnd {
      let kind = try reader.number(at: extra, bytes: 2)
      let length = try reader.number(at: extra + 2, bytes: 2)
      if kind == 1 {
        var field = extra + 4
        if size == 0xFFFF_FFFF {
          size = try reader.number(at: field, bytes: 8)
          field += 8
        }
        if packedSize == 0xFFFF_FFFF { field += 8 }
        if header == 0xFFFF_FFFF { header = try reader.number(at: field, bytes: 8) }
      }
      extra += 4 + length
    }
    guard try reader.number(at: header, bytes: 4) == 0x0403_4B50 else {
      throw Problem(text: "its entry '\(name)' has no header at byte \(header)")
    }
    let localName = try reader.number(at: header + 26, bytes: 2)
    let localExtra = try reader.number(at: header + 28, bytes: 2)
    let start = header + 30 + localName + localExtra
    guard start <= reader.bytes.count, size <= reader.bytes.count - start else {
      throw Problem(text: "its entry '\(name)' of \(size) bytes lies beyond the end of the file")
    }
    guard entries.updateValue(start..<start + size, forKey: name) == nil else {
      throw Problem(text: "its entry '\(name)' occurs twice")
    }
    checksums[name] = UInt32(try reader.number(at: place + 16, bytes: 4))
    return extraEnd + commentLength
  }

  /// Refuses an entry whose bytes are not those that were written.
  func requireSound(_ name: String, in bytes: UnsafeRawBufferPointer) throws(Problem) {
    guard let range = entries[name], let checksum = checksums[name], checksum != 0 else { return }
    guard crc32(of: UnsafeRawBufferPointer(rebasing: bytes[range])) == checksum else {
      throw Problem(text: "its entry '\(name)' is damaged: its bytes are not those that were written")
    }
  }
}

/// Little-endian numbers in a file's bytes; every place is checked.
struct LittleEndianReader {
  let bytes: UnsafeRawBufferPointer

  func number(at place: Int, bytes width: Int) throws(ZipArchive.Problem) -> Int {
    guard place >= 0, place <= bytes.count - width else {
      throw ZipArchive.Problem(text: "it is truncated: byte \(place) is missing")
    }
    var value: UInt64 = 0
    for offset in 0..<width { value |= UInt64(bytes[place + offset]) << UInt64(8 * offset) }
    // Nothing in a file that fits in memory needs the upper half.
    guard value < 1 << 56 else { throw ZipArchive.Problem(text: "byte \(place) starts an absurd number") }
    return Int(value)
  }

  func text(at place: Int, count: Int) throws(ZipArchive.Problem) -> String {
    guard place >= 0, place <= bytes.count - count else {
      throw ZipArchive.Problem(text: "it is truncated: byte \(place) is missing")
    }
    return String(decoding: bytes[place..<place + count], as: UTF8.self)
  }
}
