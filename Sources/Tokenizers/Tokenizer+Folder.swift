// Where a model folder keeps what belongs to its tokenizer.

import Files

extension Tokenizer {
  /// `path`, or the `tokenizer.json` in it where it is a folder.
  static func file(at path: String) -> String {
    isFolder(path) ? path + (path.hasSuffix("/") ? "" : "/") + "tokenizer.json" : path
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
