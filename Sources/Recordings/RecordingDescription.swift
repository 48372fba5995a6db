// What a recording is of: everything needed to make it again, and to refuse to mix it with another.

/// A recording's provenance, stored as attributes of the file.
public struct RecordingDescription: Hashable, Codable, Sendable {
  /// The layout this module writes.
  public static let schemaVersion = 1

  /// The task's name, or the name of the file of prompts.
  public var task: String
  /// The model's name: its folder, without the path that leads there.
  public var model: String
  /// SHA-256 of the model's weights, 64 hexadecimal digits.
  public var modelSHA256: String
  /// The number of layers.
  public var layers: Int
  /// The number of (query) heads in a layer.
  public var heads: Int
  /// The width of the residual stream.
  public var dModel: Int
  /// Where in each prompt the head outputs were read.
  public var position: RecordedPosition
  /// Whether a beginning-of-sequence token was put before each prompt.
  public var bos: Bool
  /// The seed that the prompts were drawn with.
  public var seed: UInt64
  /// The type that the model's weights are stored in, such as `float32`.
  public var dtype: String
  /// The program that made the recording, with its version.
  public var createdBy: String
  /// The heads' codebooks, whose codes are recorded; nil where there are none, or means over positions are kept.
  public var codes: RecordedCodes?

  /// A description of a recording that is about to be made.
  public init(
    task: String, model: String, modelSHA256: String, layers: Int, heads: Int, dModel: Int,
    position: RecordedPosition, bos: Bool, seed: UInt64, dtype: String = "float32",
    createdBy: String = "headlamp", codes: RecordedCodes? = nil
  ) {
    self.task = task
    self.model = model
    self.modelSHA256 = modelSHA256
    self.layers = layers
    self.heads = heads
    self.dModel = dModel
    self.position = position
    self.bos = bos
    self.seed = seed
    self.dtype = dtype
    self.createdBy = createdBy
    self.codes = position == .mean ? nil : codes
  }
}

/// One prompt of a recording.
public struct RecordedExample: Hashable, Codable, Sendable {
  /// The prompt's text; for models without a tokenizer, the token ids in decimal.
  public var prompt: String
  /// The token ids the model saw, beginning-of-sequence included.
  public var tokens: [Int]
  /// Whether the behaviour is called for.
  public var isPositive: Bool
  /// The index, in the same recording, of the example of the other label that this one is paired with.
  public var pair: Int?

  /// An example with its label and partner.
  public init(prompt: String, tokens: [Int], isPositive: Bool, pair: Int? = nil) {
    self.prompt = prompt
    self.tokens = tokens
    self.isPositive = isPositive
    self.pair = pair
  }
}
