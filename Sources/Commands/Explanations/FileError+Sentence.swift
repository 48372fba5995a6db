import Files

extension FileError: ExplainedError {
  var sentence: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .isFolder(let path): "\(path) is a folder; a file is needed"
    case .truncated(let path): "\(path) ends in the middle of its compressed data"
    case .corrupt(let path, let reason): "\(path) cannot be decompressed: \(reason)"
    }
  }
}
