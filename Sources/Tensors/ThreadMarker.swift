// One bit per thread.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A mark that each thread sets and reads for itself.
struct ThreadMarker: Sendable {
  private let key: pthread_key_t

  init() {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    self.key = key
  }

  /// Whether the current thread is marked.
  var isSet: Bool { pthread_getspecific(key) != nil }

  /// Marks the current thread, or takes its mark away.
  func set(_ marked: Bool) {
    pthread_setspecific(key, marked ? UnsafeRawPointer(bitPattern: 1) : nil)
  }
}
