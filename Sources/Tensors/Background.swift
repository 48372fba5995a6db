// Work that goes on beside its caller until its result is asked for.

import Dispatch
import Synchronization

/// A value in the making, on a thread of its own.
///
/// Meant for work that waits for a file rather than for the processor, such as a digest of the weights.
public final class Background<Value: Sendable>: Sendable {
  private let result = Mutex<Result<Value, any Error>?>(nil)
  private let finished = DispatchGroup()

  /// Starts `body`.
  public init(_ body: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async(group: finished) { [self] in
      let outcome = Result { try body() }
      result.withLock { $0 = outcome }
    }
  }

  /// A value that exists already.
  public init(finished value: Value) {
    result.withLock { $0 = .success(value) }
  }

  /// The value, waited for.
  /// - Throws: what `body` threw.
  public var value: Value {
    get throws {
      finished.wait()
      guard let outcome = result.withLock({ $0 }) else { preconditionFailure("no value was made") }
      return try outcome.get()
    }
  }
}
