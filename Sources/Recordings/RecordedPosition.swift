// Which token position a recording keeps.

/// Where in a prompt a head's output was read.
public enum RecordedPosition: Hashable, Sendable {
  /// The mean over all real positions.
  case mean
  /// The last real position.
  case last
  /// Every position, each kept on its own.
  case each
  /// The position that the task names so, such as `answer`.
  case named(String)

  /// Reads `mean`, `last`, `each`; any other word is a position's name.
  public init(text: String) {
    switch text {
    case "mean": self = .mean
    case "last": self = .last
    case "each": self = .each
    default: self = .named(text)
    }
  }

  /// The word stored in a recording's `position` attribute.
  public var text: String {
    switch self {
    case .mean: "mean"
    case .last: "last"
    case .each: "each"
    case .named(let name): name
    }
  }
}

extension RecordedPosition: Codable {
  /// Reads the word.
  public init(from decoder: any Decoder) throws {
    self.init(text: try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the word.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
