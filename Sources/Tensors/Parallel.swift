// Work split over the machine's cores. One level only: nothing inside a parallel loop starts another.

import Dispatch
import FoundationEssentials
import Synchronization

/// How many threads loops and matrix products may use.
public enum Threads {
  private static let limit = Atomic<Int>(0)

  /// The number of threads in use: what was set, else `OPENBLAS_NUM_THREADS`, else the number of cores.
  ///
  /// Inside a parallel loop it is 1, so that loops and products there stay on their thread.
  public static var count: Int {
    if isInsideParallelLoop { return 1 }
    let set = limit.load(ordering: .relaxed)
    return set > 0 ? set : automatic
  }

  /// Sets the number of threads for the whole process; 0 returns to the automatic choice.
  public static func use(_ count: Int) {
    limit.store(max(0, count), ordering: .relaxed)
  }

  private static let automatic: Int = {
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let wanted = ProcessInfo.processInfo.environment["OPENBLAS_NUM_THREADS"].flatMap { Int($0) }
    return max(1, wanted ?? cores)
  }()

  /// Whether this thread is working on an iteration of a parallel loop.
  private static let marker = ThreadMarker()
  fileprivate static var isInsideParallelLoop: Bool { marker.isSet }

  /// Runs `body` with this thread marked as one of a parallel loop's.
  fileprivate static func insideParallelLoop(_ body: () -> Void) {
    let wasSet = marker.isSet
    marker.set(true)
    body()
    marker.set(wasSet)
  }
}

/// Calls `body` once for every index below `count`, on up to `Threads.count` threads, and returns when all are done.
///
/// Indices are handed out one at a time, so uneven work balances. Costs about a microsecond. A loop inside a loop runs
/// on the thread it is on.
public func parallelFor(_ count: Int, _ body: @Sendable (Int) -> Void) {
  let threads = min(Threads.count, count)
  if threads <= 1 {
    for index in 0..<max(count, 0) { body(index) }
    return
  }
  let next = Atomic<Int>(0)
  DispatchQueue.concurrentPerform(iterations: threads) { _ in
    Threads.insideParallelLoop {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if index >= count { return }
        body(index)
      }
    }
  }
}

/// Splits `0..<count` into at most `Threads.count` equal ranges of at least `minimum` and runs them in parallel.
public func parallelRanges(_ count: Int, minimum: Int = 1, _ body: @Sendable (Range<Int>) -> Void) {
  guard count > 0 else { return }
  let pieces = max(1, min(Threads.count, count / max(1, minimum)))
  parallelFor(pieces) { piece in
    let start = count * piece / pieces
    let end = count * (piece + 1) / pieces
    if start < end { body(start..<end) }
  }
}

/// The values of `body` for every index below `count`, computed in parallel, in order.
public func parallelMap<Value: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
  let results = Mutex([Value?](repeating: nil, count: max(count, 0)))
  parallelFor(count) { index in
    let value = body(index)
    results.withLock { $0[index] = value }
  }
  return results.withLock { $0.compactMap { $0 } }
}
