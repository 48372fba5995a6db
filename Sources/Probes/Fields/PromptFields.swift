// What is known of each prompt of a recording: its label, its length, its tokens, and fields of a file beside it.

import Files
import Recordings

/// Values that prompts of a recording can be told apart by.
public struct PromptFields: Sendable {
  /// What every recording has.
  public static let ownNames = ["label", "length", "token:POSITION"]

  private let examples: [RecordedExample]
  private let file: FieldFile?

  /// The fields of a recording, and those of a file with a record for each prompt in the same order.
  /// - Throws: `ProbeError.otherCount` or `otherPrompt` where the file belongs to other prompts.
  public init(_ recording: Recording, beside file: FieldFile? = nil) throws(ProbeError) {
    examples = recording.examples
    self.file = file
    guard let file else { return }
    guard file.records.count == examples.count else {
      throw .otherCount(path: file.path, records: file.records.count, prompts: examples.count)
    }
    for (index, record) in file.records.enumerated() {
      guard let prompt = record["prompt"], prompt != examples[index].prompt else { continue }
      throw .otherPrompt(path: file.path, line: file.lines[index], prompt: index)
    }
  }

  /// The value of a field for each prompt; nil where a record has none.
  ///
  /// `token:3` is the token at position 3, `token:-1` the last.
  /// - Throws: `ProbeError.noField`; `noToken` where a prompt has no such position.
  public func values(of name: String) throws(ProbeError) -> [String?] {
    if let file, file.names.contains(name) { return file.records.map { $0[name] } }
    switch name {
    case "label": return examples.map { $0.isPositive ? "1" : "0" }
    case "length": return examples.map { "\($0.tokens.count)" }
    default: break
    }
    guard name.hasPrefix("token:"), let position = Int(name.dropFirst("token:".count)) else {
      let known = (file?.names ?? []) + Self.ownNames
      throw .noField(name: name, nearest: nearestWord(to: name, among: known), known: known)
    }
    return try tokens(at: position).map { "\($0)" }
  }

  /// The token at a position of each prompt; negative ones count from the end.
  /// - Throws: `ProbeError.noToken`.
  public func tokens(at position: Int) throws(ProbeError) -> [Int] {
    var tokens: [Int] = []
    for (index, example) in examples.enumerated() {
      let place = position < 0 ? example.tokens.count + position : position
      guard example.tokens.indices.contains(place) else {
        throw .noToken(prompt: index, position: position, length: example.tokens.count)
      }
      tokens.append(example.tokens[place])
    }
    return tokens
  }

  /// What belongs together: pairs, and prompts of the same tokens. A number for each prompt.
  public var groups: [Int] {
    var parents = Array(examples.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while parents[index] != index {
        parents[index] = parents[parents[index]]
        index = parents[index]
      }
      return index
    }
    var first: [[Int]: Int] = [:]
    for (index, example) in examples.enumerated() {
      if let pair = example.pair { parents[root(index)] = root(pair) }
      if let other = first[example.tokens] {
        parents[root(index)] = root(other)
      } else {
        first[example.tokens] = index
      }
    }
    return examples.indices.map(root)
  }

  /// The position, counted from the end, whose tokens make the best control task: as many kinds of token as possible,
  /// at least twice the classes, of which one is met again in most prompts.
  ///
  /// - Returns: nil where no position that all prompts have is such.
  public func controlPosition(classCount: Int) -> Int? {
    let shortest = examples.map(\.tokens.count).min() ?? 0
    var best: (position: Int, kinds: Int)?
    for position in stride(from: -1, through: -shortest, by: -1) {
      let tokens = examples.map { $0.tokens[$0.tokens.count + position] }
      let counts = Dictionary(tokens.map { ($0, 1) }, uniquingKeysWith: +)
      // Met five times: about four of them train.
      let met = tokens.count { (counts[$0] ?? 0) >= 5 }
      guard counts.count >= 2 * classCount, Double(met) >= 0.8 * Double(tokens.count) else { continue }
      if counts.count > best?.kinds ?? 0 { best = (position, counts.count) }
    }
    return best?.position
  }
}
