import Files

extension ShardError: ExplainedError {
  var exitCode: Int32 { if case .tooManyParts = self { 2 } else { 1 } }

  var sentence: String {
    switch self {
    case .tooManyParts(let shard, let total, let unit):
      "--shard \(shard) asks for more parts than there are \(unit): \(total)"
    case .notAShard(let path, let problem):
      "\(path) is no finished part of a result: \(problem); 'headlamp COMMAND … --shard I/N' makes one"
    case .damaged(let path, let problem):
      "\(path) is damaged: \(problem); remove it and make this part again"
    case .foreign(let path, let difference, let first):
      "\(path) belongs to another result than \(first): \(difference)"
    case .repeated(let path, let shard, let other): "\(path) and \(other) are both part \(shard)"
    case .missing(let parts, let count):
      "\(parts.count == 1 ? "part" : "parts") \(Self.list(parts)) of \(count) \(parts.count == 1 ? "is" : "are") "
        + "missing; make "
        + "\(parts.count == 1 ? "it" : "them") with --shard \(parts.first ?? 1)/\(count)"
        + (parts.count > 1 ? " and so on" : "")
    case .changed(let path, let difference):
      "\(path) was made from something else than what is here now: \(difference)"
    }
  }

  private static func list(_ parts: [Int]) -> String {
    let shown = parts.prefix(8).map(String.init).joined(separator: ", ")
    return parts.count > 8 ? shown + " and \(parts.count - 8) more" : shown
  }
}
