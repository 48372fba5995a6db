// Where a model's files are: a folder, a file in it, or the Hugging Face cache's own layout.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The folder of a model's files, given whatever people have at hand.
///
/// - A folder is taken as it is.
/// - A file of weights or a `config.json` means the folder it is in.
/// - The top folder of a model in Hugging Face's cache (`models--x--y`, with `snapshots` and `refs`) means the snapshot
///   that `refs/main` names, or the only one.
/// - A folder whose only content of interest is a `.gguf` file means that file; so does the file itself.
/// - Throws: `FileError.unreadable` for a cache without a snapshot to choose.
public func modelPath(_ path: String) throws(FileError) -> String {
  if path.hasSuffix(".gguf"), !isFolder(path) { return path }
  if !isFolder(path) {
    let isPart = [".safetensors", ".bin", ".pth", ".pt", "config.json", ".safetensors.index.json"]
      .contains { path.hasSuffix($0) }
    guard isPart, fileExists(at: path) else { return path }
    guard let slash = path.lastIndex(of: "/") else { return "." }
    let folder = String(path[..<slash])
    return folder.isEmpty ? "/" : folder
  }
  if fileExists(at: path + "/config.json") { return path }
  if isFolder(path + "/snapshots") { return try snapshot(ofCache: path) }
  let gguf = entries(of: path).filter { $0.hasSuffix(".gguf") }
  return gguf.count == 1 ? path + "/" + gguf[0] : path
}

private func snapshot(ofCache path: String) throws(FileError) -> String {
  let snapshots = entries(of: path + "/snapshots")
  if let text = try? readText(at: path + "/refs/main") {
    let name = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    guard snapshots.contains(name) else {
      throw .unreadable(
        path: path,
        reason: "refs/main names the snapshot '\(name)', which is not there; the download may be incomplete")
    }
    return path + "/snapshots/" + name
  }
  guard snapshots.count == 1 else {
    throw .unreadable(
      path: path,
      reason: snapshots.isEmpty
        ? "its folder 'snapshots' is empty; the download may be incomplete"
        : "it has \(snapshots.count) snapshots and no refs/main; name one of them: "
          + snapshots.map { path + "/snapshots/" + $0 }.joined(separator: ", "))
  }
  return path + "/snapshots/" + snapshots[0]
}

/// The names of what a folder holds, sorted, without those that begin with a dot.
public func entries(of folder: String) -> [String] {
  allEntries(of: folder).filter { !$0.hasPrefix(".") }
}

/// The names of all that a folder holds, sorted.
func allEntries(of folder: String) -> [String] {
  guard let stream = opendir(folder) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}
