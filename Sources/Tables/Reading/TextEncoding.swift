// Bytes of a text file as UTF-8: UTF-16 and Latin-1 are what spreadsheets of other years wrote.

/// How a text file's letters are stored.
public enum TextEncoding: String, Sendable, Equatable {
  /// UTF-8, or plain ASCII.
  case utf8 = "UTF-8"
  /// UTF-16, the lower byte first.
  case utf16LittleEndian = "UTF-16 (little-endian)"
  /// UTF-16, the higher byte first.
  case utf16BigEndian = "UTF-16 (big-endian)"
  /// Windows-1252, which holds Latin-1.
  case latin1 = "Latin-1"

  /// The encoding of a file's bytes.
  static func detect(_ bytes: UnsafeRawBufferPointer) -> TextEncoding {
    if bytes.starts(with: [0xff, 0xfe]) { return .utf16LittleEndian }
    if bytes.starts(with: [0xfe, 0xff]) { return .utf16BigEndian }
    // Without a mark, every other byte of a text in Latin letters is zero.
    let start = bytes.prefix(256)
    if start.count >= 8, start.contains(0) {
      let odd = start.enumerated().count { $0.offset % 2 == 1 && $0.element == 0 }
      let even = start.enumerated().count { $0.offset % 2 == 0 && $0.element == 0 }
      if odd * 10 >= start.count * 4, even == 0 { return .utf16LittleEndian }
      if even * 10 >= start.count * 4, odd == 0 { return .utf16BigEndian }
    }
    return isUTF8(bytes) ? .utf8 : .latin1
  }

  private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    let count = bytes.count
    while at < count {
      // Eight bytes of ASCII at a time.
      while at + 8 <= count,
        bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        at += 8
      }
      guard at < count else { return true }
      let byte = bytes[at]
      let more =
        byte < 0x80
        ? 0 : byte >= 0xc2 && byte < 0xe0 ? 1 : byte & 0xf0 == 0xe0 ? 2 : byte >= 0xf0 && byte < 0xf5 ? 3 : -1
      guard more >= 0, at + more < count else { return false }
      for place in 0..<max(0, more) where bytes[at + 1 + place] & 0xc0 != 0x80 { return false }
      at += more + 1
    }
    return true
  }

  /// The same text in UTF-8.
  func decoded(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    switch self {
    case .utf8: return Array(bytes)
    case .utf16LittleEndian, .utf16BigEndian:
      var units: [UInt16] = []
      units.reserveCapacity(bytes.count / 2)
      for at in stride(from: 0, to: bytes.count - 1, by: 2) {
        let (first, second) = (UInt16(bytes[at]), UInt16(bytes[at + 1]))
        units.append(self == .utf16LittleEndian ? first | second << 8 : first << 8 | second)
      }
      if units.first == 0xfeff { units.removeFirst() }
      return Array(String(decoding: units, as: UTF16.self).utf8)
    case .latin1:
      var result: [UInt8] = []
      result.reserveCapacity(bytes.count + bytes.count / 16)
      for byte in bytes {
        if byte < 0x80 {
          result.append(byte)
        } else {
          let scalar = byte < 0xa0 ? Self.windows1252[Int(byte) - 0x80] : UInt32(byte)
          result += Array(String(Unicode.Scalar(scalar).map(Character.init) ?? "\u{fffd}").utf8)
        }
      }
      return result
    }
  }

  /// What Windows-1252 has at 0x80 to 0x9f.
  private static let windows1252: [UInt32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
    0x17d,
    0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153,
    0x9d,
    0x17e, 0x178,
  ]
}
