// What a transformer's graph is made of, under the names of Hanna et al. 2024 (EAP-IG) and of the MIB benchmark.

import Transformers

/// Something that writes to the residual stream.
public enum GraphNode: Hashable, Sendable {
  /// Token and position embeddings.
  case input
  /// One head's own output, z·W_O without bias.
  case head(layer: Int, head: Int)
  /// What an MLP adds to the stream.
  case mlp(layer: Int)

  /// The layer that writes it; nil for the input.
  public var layer: Int? {
    switch self {
    case .input: nil
    case .head(let layer, _), .mlp(let layer): layer
    }
  }
}

/// Something that reads the residual stream, before its norm.
public enum GraphDestination: Hashable, Sendable {
  /// What a head's queries, keys or values are made from.
  case head(layer: Int, head: Int, HeadInput)
  /// What an MLP reads.
  case mlp(layer: Int)
  /// What the final norm and the unembedding read.
  case logits
}

/// What a head reads the stream for.
public enum HeadInput: String, CaseIterable, Sendable {
  case queries = "q"
  case keys = "k"
  case values = "v"

  /// The hook point where a layer's heads read for it.
  public func point(layer: Int) -> HookPoint {
    switch self {
    case .queries: .block(layer: layer, .queriesInput)
    case .keys: .block(layer: layer, .keysInput)
    case .values: .block(layer: layer, .valuesInput)
    }
  }
}

/// A path from one writer to one reader.
public struct GraphEdge: Hashable, Sendable {
  /// The writer.
  public var source: GraphNode
  /// The reader.
  public var destination: GraphDestination

  /// An edge.
  public init(_ source: GraphNode, _ destination: GraphDestination) {
    self.source = source
    self.destination = destination
  }
}

extension GraphNode: CustomStringConvertible {
  /// `input`, `a9.h6`, `m3`.
  public var description: String {
    switch self {
    case .input: "input"
    case .head(let layer, let head): "a\(layer).h\(head)"
    case .mlp(let layer): "m\(layer)"
    }
  }

  /// The node of a name; nil where it is none.
  public init?(_ name: some StringProtocol) {
    if name == "input" {
      self = .input
    } else if let layer = number(name.dropFirst()), name.first == "m" {
      self = .mlp(layer: layer)
    } else {
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].first == "a", parts[1].first == "h",
        let layer = number(parts[0].dropFirst()), let head = number(parts[1].dropFirst())
      else { return nil }
      self = .head(layer: layer, head: head)
    }
  }
}

extension GraphDestination: CustomStringConvertible {
  /// `a10.h0<q>`, `m3`, `logits`.
  public var description: String {
    switch self {
    case .head(let layer, let head, let input): "a\(layer).h\(head)<\(input.rawValue)>"
    case .mlp(let layer): "m\(layer)"
    case .logits: "logits"
    }
  }

  /// The destination of a name; nil where it is none.
  public init?(_ name: some StringProtocol) {
    if name == "logits" {
      self = .logits
    } else if case .mlp(let layer)? = GraphNode(name) {
      self = .mlp(layer: layer)
    } else {
      guard name.hasSuffix(">"), let open = name.lastIndex(of: "<"),
        case .head(let layer, let head)? = GraphNode(name[..<open]),
        let input = HeadInput(rawValue: String(name[name.index(after: open)...].dropLast()))
      else { return nil }
      self = .head(layer: layer, head: head, input)
    }
  }

  /// The node that reads there; nil for the logits.
  public var node: GraphNode? {
    switch self {
    case .head(let layer, let head, _): .head(layer: layer, head: head)
    case .mlp(let layer): .mlp(layer: layer)
    case .logits: nil
    }
  }
}

extension GraphEdge: CustomStringConvertible {
  /// `a9.h6->a10.h0<q>`.
  public var description: String { "\(source)->\(destination)" }

  /// The edge of a name; nil where it is none.
  public init?(_ name: some StringProtocol) {
    let text = String(name)
    guard let arrow = text.firstIndex(of: "-"), text[arrow...].hasPrefix("->"),
      let source = GraphNode(text[..<arrow]),
      let destination = GraphDestination(text[text.index(arrow, offsetBy: 2)...])
    else { return nil }
    self.init(source, destination)
  }
}

/// A number from 0, written without signs or leading zeros.
private func number(_ text: some StringProtocol) -> Int? {
  guard let value = Int(text), value >= 0, String(value) == text else { return nil }
  return value
}
