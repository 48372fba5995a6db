// Results of a parallel loop, one place an index.

import Synchronization

/// Places that the iterations of a parallel loop fill, each its own.
final class Gathered<Value: Sendable>: Sendable {
  private let places: Mutex<[Value?]>

  init(count: Int) {
    places = Mutex([Value?](repeating: nil, count: count))
  }

  func set(_ index: Int, _ value: Value) {
    places.withLock { $0[index] = value }
  }

  func get(_ index: Int) -> Value? {
    places.withLock { $0[index] }
  }
}
