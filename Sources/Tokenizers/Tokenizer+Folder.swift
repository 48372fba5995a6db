// Where a model folder keeps what belongs to its tokenizer.

import Files

extension Tokenizer {
  /// Whether a folder has a tokenizer's file.
  public static func isPresent(inFolder folder: String) -> Bool {
    let path = file(at: folder)
    return path != folder && fileExists(at: path)
  }

  /// `path`, or the `tokenizer.json` in it where it is a folder.
  static func file(at path: String) -> String {
    // A GGUF file's tokenizer is the one beside it.
    let isWeights = path.hasSuffix(".gguf")
    let path = isWeights ? path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." : path
    guard isFolder(path) else { return path }
    let folder = path + (path.hasSuffix("/") ? "" : "/")
    let usual = folder + "tokenizer.json"
    guard !fileExists(at: usual) else { return usual }
    // Where there is no such file, one of tiktoken's kind.
    let others = entries(of: path).filter { $0.hasSuffix(".tiktoken") }
    return others.count == 1 ? folder + others[0] : usual
  }

  /// Takes the token that begins a text from the `tokenizer_config.json` beside the tokenizer's file.
  mutating func readConfiguration(besides file: String) throws(TokenizerError) {
    let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
    let path = folder + "tokenizer_config.json"
    guard let bytes = try? readBytes(ofFileAt: path) else { return }
    do throws(TokenizerProblem) {
      let root = JSONField(root: try JSONDocument(tokenizerFile: bytes))
      guard let token = try root.members().last(where: { $0.name == "bos_token" })?.value else { return }
      switch token.node.kind {
      case .null: beginningOfText = nil
      case .object: beginningOfText = id(of: try token.required("content").string())
      default: beginningOfText = id(of: try token.string())
      }
    } catch {
      throw .invalid(path: path, problem: error)
    }
  }
}
