// A digest in the header of files of our own, by which a changed byte is told.

import Files

/// The digest that this program writes into a safetensors file's `__metadata__`: SHA-256 of the header as it is without
/// the digest, and of all data behind it. Files without one, as other programs write them, are read unchecked.
enum SafetensorsDigest {
  static let key = "headlamp_sha256"

  /// The digest of a header, without one, and what stands behind it.
  static func hexadecimal(header: [JSONMember], addingData: (SHA256Digest) throws -> Void) rethrows -> String
  {
    let digest = SHA256Digest()
    digest.update(JSONValue.object(header).line)
    try addingData(digest)
    return digest.hexadecimal()
  }

  /// Refuses a file whose bytes are not those that its digest was made of.
  /// - Parameter dataStart: where the header ends.
  static func check(_ map: MappedFile, header: [JSONMember], dataStart: Int) throws(CheckpointError) {
    guard let texts = header.first(where: { $0.key == "__metadata__" })?.value.members,
      let written = texts.first(where: { $0.key == key })?.value.text
    else { return }
    var rest = texts
    rest.removeAll { $0.key == key }
    let plain = header.compactMap { member -> JSONMember? in
      guard member.key == "__metadata__" else { return member }
      return rest.isEmpty ? nil : JSONMember(member.key, .object(rest))
    }
    let found = hexadecimal(header: plain) { $0.update(map, dataStart..<map.bytes.count) }
    guard found == written else {
      throw .malformed(
        path: map.path,
        problem:
          "its bytes are not those that headlamp wrote: it was damaged or changed; make it again, or take "
          + "'\(key)' out of its metadata to read it as it is")
    }
  }
}
