// Removing files.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Removes a file if there is one.
public func removeFile(_ path: String) {
  unlink(path)
}
