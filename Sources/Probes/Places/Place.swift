// Where in a model a row of numbers was read.

/// A head's output, or what all heads of a layer or of several write, at one position.
public struct Place: Hashable, Codable, Sendable {
  /// Which outputs are summed.
  public enum Kind: String, Hashable, Codable, Sendable, CaseIterable {
    /// One head's output.
    case head
    /// The sum of a layer's heads: what its attention writes, without bias.
    case layer
    /// The sum over this layer and those below: attention's share of the residual stream.
    case stream
  }

  /// Which outputs are summed.
  public var kind: Kind
  /// The layer.
  public var layer: Int
  /// The head within the layer; nil for a sum over heads.
  public var head: Int?
  /// The position, counted from the prompt's end, −1 the last; nil where a recording keeps one row a prompt.
  public var position: Int?

  /// A place.
  public init(_ kind: Kind, layer: Int, head: Int? = nil, position: Int? = nil) {
    self.kind = kind
    self.layer = layer
    self.head = head
    self.position = position
  }

  /// `1.4` for a head, `layer 1` for a layer; with `at -2` behind where positions are told apart.
  public var name: String {
    let at = position.map { " at \($0)" } ?? ""
    switch kind {
    case .head: return "\(layer).\(head ?? 0)" + at
    case .layer: return "layer \(layer)" + at
    case .stream: return "stream \(layer)" + at
    }
  }
}
