// The project's JSON reader, with mistakes as a tokenizer's problems.

import Files

extension JSONDocument {
  /// Scans the bytes of a tokenizer's file.
  init(tokenizerFile bytes: [UInt8]) throws(TokenizerProblem) {
    do throws(JSONSyntaxError) {
      self = try JSONDocument(bytes)
    } catch {
      throw .notJSON(error)
    }
  }

  /// The text of a string node.
  func text(_ node: Node) throws(TokenizerProblem) -> String {
    do throws(JSONSyntaxError) {
      return try string(node)
    } catch {
      throw .notJSON(error)
    }
  }

  /// Appends the bytes of a string node, escapes resolved.
  func appendText(_ node: Node, to target: inout [UInt8]) throws(TokenizerProblem) {
    do throws(JSONSyntaxError) {
      try appendString(node, to: &target)
    } catch {
      throw .notJSON(error)
    }
  }
}
