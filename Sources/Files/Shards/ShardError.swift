// What can go wrong with parts of a result.

/// Why parts cannot be made or put together.
public enum ShardError: Error, Equatable, Sendable {
  /// There are fewer units of work than parts.
  case tooManyParts(shard: Shard, total: Int, unit: String)
  /// It is no part of anything.
  case notAShard(path: String, problem: String)
  /// Its bytes are not those that were written.
  case damaged(path: String, problem: String)
  /// It is a part of another result than the first one that was named.
  case foreign(path: String, difference: String, first: String)
  /// It is the same part as another.
  case repeated(path: String, shard: Shard, other: String)
  /// Parts that nobody named.
  case missing([Int], count: Int)
  /// What is here now is not what the parts were made of.
  case changed(path: String, difference: String)
}
