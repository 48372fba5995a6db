import Files

extension FileError: ExplainedError {
  var sentence: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .isFolder(let path): "\(path) is a folder; a file is needed"
    case .inUse(let path, let process):
      "\(path) is being written by another process\(process.map { ", \($0)" } ?? ""); "
        + "wait for its end or choose another output"
    case .overLimit(let path, let limit, let asked, let what):
      "\(path) asks for \(limit.refusal(asked: asked, of: what))"
    case .truncated(let path): "\(path) ends in the middle of its compressed data"
    case .corrupt(let path, let reason): "\(path) cannot be decompressed: \(reason)"
    }
  }
}
