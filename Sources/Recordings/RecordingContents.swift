// Everything in a recording but the head outputs: small, read at once, and checked whole.

import CHDF5
import CHDF5System

/// What a file says of itself, finished or not. Made inside `HDF5.perform`.
struct RecordingContents: Sendable {
  var description: RecordingDescription
  var examples: [RecordedExample]
  var isRecorded: [Bool]
  var isComplete: Bool
  /// The longest prompt, in tokens.
  var tokenWidth: Int
  /// `[N, layers, heads, d_model]`, or `[N, T, layers, heads, d_model]`.
  var headOutputShape: [Int]
  /// Which part of a recording it is; nil for a whole one.
  var part: RecordedPart?
  /// The files that its head outputs lie in; nil where they lie in the file itself.
  var joined: [JoinedRecording]?

  init(_ file: HDF5File) throws(RecordingError) {
    description = try RecordingDescription(file)
    // Files by other programs have neither this attribute nor `/recorded`; they have no partial state either.
    isComplete = try file.hasAttribute("complete") ? file.booleanAttribute("complete") : true
    joined = try JoinedRecording.list(file)
    headOutputShape = try file.shape(of: "head_outputs", H5T_FLOAT, ranks: 4...5, mayBeVirtual: joined != nil)
    let count = headOutputShape[0]
    let tokenShape = try file.shape(of: "tokens", H5T_INTEGER, ranks: 2...2)
    tokenWidth = tokenShape[1]
    let perPosition = description.position == .each ? [tokenWidth] : []
    let expected = [count] + perPosition + [description.layers, description.heads, description.dModel]
    guard headOutputShape == expected else {
      throw file.malformed("/head_outputs has shape \(headOutputShape) where its attributes say \(expected)")
    }
    guard tokenShape[0] == count else {
      throw file.malformed("/tokens has \(tokenShape[0]) rows for \(count) examples")
    }
    if let joined {
      let rows = joined.reduce(0) { $0 + $1.examples }
      guard rows == count else { throw file.malformed("it joins \(rows) examples and says \(count)") }
    } else {
      try file.requireRoom(for: headOutputShape, width: 4, of: "head_outputs")
    }
    try file.requireRoom(for: tokenShape, width: 4, of: "tokens")
    try description.codes?.check(file, headOutputShape: headOutputShape)
    let hasMarks = file.hasDataset("recorded")
    for name in ["lengths", "labels", "pairs"] + (hasMarks ? ["recorded"] : []) {
      let length = try file.shape(of: name, H5T_INTEGER, ranks: 1...1)[0]
      guard length == count else { throw file.malformed("/\(name) has \(length) rows for \(count) examples") }
    }
    let promptCount = try file.shape(of: "prompts", H5T_STRING, ranks: 1...1)[0]
    guard promptCount == count else {
      throw file.malformed("/prompts has \(promptCount) rows for \(count) examples")
    }
    examples = try Self.examples(of: file, count: count, tokenWidth: tokenWidth)
    var marks = [UInt8](repeating: 1, count: count)
    if hasMarks { try file.read("recorded", rows: 0..<count, .uint8, into: &marks) }
    isRecorded = marks.map { $0 == 1 }
    part = try RecordedPart(file, examples: count, tokenWidth: tokenWidth)
  }

  private static func examples(
    of file: HDF5File, count: Int, tokenWidth: Int
  ) throws(RecordingError) -> [RecordedExample] {
    var tokens = [Int32](repeating: 0, count: count * tokenWidth)
    var lengths = [Int32](repeating: 0, count: count)
    var pairs = [Int32](repeating: 0, count: count)
    var labels = [UInt8](repeating: 0, count: count)
    try file.read("tokens", rows: tokenWidth == 0 ? 0..<0 : 0..<count, .int32, into: &tokens)
    try file.read("lengths", rows: 0..<count, .int32, into: &lengths)
    try file.read("pairs", rows: 0..<count, .int32, into: &pairs)
    try file.read("labels", rows: 0..<count, .uint8, into: &labels)
    let prompts = try file.texts("prompts", count: count)
    var examples: [RecordedExample] = []
    examples.reserveCapacity(count)
    for index in 0..<count {
      let length = Int(lengths[index])
      guard length >= 0, length <= tokenWidth else {
        throw file.malformed("example \(index) has length \(length) where /tokens is \(tokenWidth) wide")
      }
      let row = tokens[index * tokenWidth..<index * tokenWidth + length].map { Int($0) }
      guard row.allSatisfy({ $0 >= 0 }) else {
        throw file.malformed("example \(index) has a negative token within its length")
      }
      guard labels[index] <= 1 else {
        throw file.malformed("example \(index) has label \(labels[index]); 0 and 1 are allowed")
      }
      let pair = Int(pairs[index])
      guard pair >= -1, pair < count, pair == -1 || labels[pair] != labels[index] else {
        throw file.malformed(
          "example \(index) is paired with \(pair), which is no example of the other label")
      }
      examples.append(
        RecordedExample(
          prompt: prompts[index], tokens: row, isPositive: labels[index] == 1, pair: pair < 0 ? nil : pair))
    }
    return examples
  }
}

extension HDF5File {
  /// Writes everything of some examples but their head outputs.
  func write(_ examples: [RecordedExample], tokenWidth: Int) throws(RecordingError) {
    let all = 0..<examples.count
    var tokens = [Int32](repeating: -1, count: examples.count * tokenWidth)
    for (row, example) in examples.enumerated() {
      for (column, token) in example.tokens.enumerated() { tokens[row * tokenWidth + column] = Int32(token) }
    }
    try createDataset("tokens", chdf5_std_i32le(), shape: [examples.count, tokenWidth])
    try write(tokens, rows: tokenWidth == 0 ? 0..<0 : all, of: "tokens", .int32)
    try createDataset("lengths", chdf5_std_i32le(), shape: [examples.count])
    try write(examples.map { Int32($0.tokens.count) }, rows: all, of: "lengths", .int32)
    try createDataset("labels", chdf5_std_u8le(), shape: [examples.count])
    try write(examples.map { UInt8($0.isPositive ? 1 : 0) }, rows: all, of: "labels", .uint8)
    try createDataset("pairs", chdf5_std_i32le(), shape: [examples.count])
    try write(examples.map { Int32($0.pair ?? -1) }, rows: all, of: "pairs", .int32)
    try HDF5.withTextType { (type) throws(RecordingError) in
      try createDataset("prompts", type, shape: [examples.count])
    }
    try write(examples.map(\.prompt), to: "prompts")
  }
}

extension RecordingDescription {
  /// Reads and checks a file's attributes.
  init(_ file: HDF5File) throws(RecordingError) {
    let version = try file.integerAttribute("schema_version")
    guard version == Self.schemaVersion else {
      throw .unsupportedSchema(path: file.path, version: version)
    }
    self.init(
      task: try file.textAttribute("task"), model: try file.textAttribute("model"),
      modelSHA256: try file.textAttribute("model_sha256"), layers: try file.integerAttribute("n_layers"),
      heads: try file.integerAttribute("n_heads"), dModel: try file.integerAttribute("d_model"),
      position: RecordedPosition(text: try file.textAttribute("position")),
      bos: try file.booleanAttribute("bos"), seed: try file.unsignedAttribute("seed"),
      dtype: try file.textAttribute("dtype"), createdBy: try file.textAttribute("created_by"),
      codes: try RecordedCodes(file))
    guard layers > 0, heads > 0, dModel > 0 else {
      throw file.malformed("n_layers \(layers), n_heads \(heads) and d_model \(dModel) must be positive")
    }
  }

  /// Writes the attributes of a new file.
  func write(to file: HDF5File) throws(RecordingError) {
    try file.writeAttribute("schema_version", Self.schemaVersion)
    try file.writeAttribute("model", model)
    try file.writeAttribute("model_sha256", modelSHA256)
    try file.writeAttribute("n_layers", layers)
    try file.writeAttribute("n_heads", heads)
    try file.writeAttribute("d_model", dModel)
    try file.writeAttribute("position", position.text)
    try file.writeAttribute("bos", bos)
    try file.writeAttribute("task", task)
    try file.writeAttribute("seed", seed)
    try file.writeAttribute("dtype", dtype)
    try file.writeAttribute("created_by", createdBy)
    try codes?.writeAttributes(to: file)
  }

  /// The first thing in which a recording differs from `other`, in words; nil where one can continue the other.
  func difference(from other: RecordingDescription) -> String? {
    let facts: [(name: String, mine: String, theirs: String)] = [
      ("task", task, other.task), ("model", model, other.model),
      ("model_sha256", modelSHA256, other.modelSHA256),
      ("layers", String(layers), String(other.layers)), ("heads", String(heads), String(other.heads)),
      ("d_model", String(dModel), String(other.dModel)),
      ("position", position.text, other.position.text),
      ("bos", bos ? "on" : "off", other.bos ? "on" : "off"), ("seed", String(seed), String(other.seed)),
      ("dtype", dtype, other.dtype),
      (
        "codebooks", codes.map { "\($0.active) of \($0.codes) codes" } ?? "none",
        other.codes.map { "\($0.active) of \($0.codes) codes" } ?? "none"
      ),
    ]
    guard let fact = facts.first(where: { $0.mine != $0.theirs }) else { return nil }
    return "its \(fact.name) is '\(fact.mine)', not '\(fact.theirs)'"
  }
}
