// SHA-256 of bytes and files, by OpenSSL.

import CCrypto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A running SHA-256 digest.
public final class SHA256Digest {
  private let context: OpaquePointer?
  private static let window = 16 << 20

  /// An empty digest.
  public init() {
    context = EVP_MD_CTX_new()
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  /// A digest that has seen the same bytes and goes on by itself.
  public func copy() -> SHA256Digest {
    let other = SHA256Digest()
    EVP_MD_CTX_copy_ex(other.context, context)
    return other
  }

  /// Adds the bytes of `range` of a file, without keeping more than a window of it in memory.
  public func update(_ file: MappedFile, _ range: Range<Int>) {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.window) {
      let end = min(range.upperBound, start + Self.window)
      update(file.bytes.bytes.extracting(start..<end))
      file.release(start..<end)
    }
  }

  /// Adds bytes to the digest.
  public func update(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  /// Adds the UTF-8 bytes of a text to the digest.
  public func update(_ text: String) {
    update(Array(text.utf8).span.bytes)
  }

  /// The digest of everything added so far, as 64 lower-case hexadecimal digits. Call once.
  public func hexadecimal() -> String {
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    EVP_DigestFinal_ex(context, &digest, &length)
    return digest.prefix(Int(length)).map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}

/// The SHA-256 of a file's bytes, as 64 lower-case hexadecimal digits; the file passes through a buffer of 1 MiB.
public func sha256(ofFileAt path: String) throws(FileError) -> String {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: lastSystemError()) }
  defer { close(descriptor) }
  posix_fadvise(descriptor, 0, 0, Int32(POSIX_FADV_SEQUENTIAL))
  let digest = SHA256Digest()
  var buffer = [UInt8](repeating: 0, count: 1 << 20)
  while true {
    let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw .unreadable(path: path, reason: lastSystemError()) }
    if count == 0 { return digest.hexadecimal() }
    digest.update(buffer.span.bytes.extracting(0..<count))
  }
}

/// The SHA-256 digest of a text's UTF-8, in hexadecimal.
public func sha256(of text: String) -> String {
  let digest = SHA256Digest()
  digest.update(Array(text.utf8).span.bytes)
  return digest.hexadecimal()
}
