// A code of a codebook by name.

import Tensors
import Transformers

/// One codebook of a model: a head's or an MLP's.
public struct CodebookAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The layer, from 0.
  public var layer: Int
  /// The head, from 0; nil for the MLP.
  public var head: Int?

  /// A codebook.
  public init(layer: Int, head: Int?) {
    self.layer = layer
    self.head = head
  }

  /// `2.3` for head 3 of layer 2, `2.mlp` for its MLP.
  public var description: String { "\(layer)." + (head.map(String.init) ?? "mlp") }

  /// The place where the numbers of its active codes are read and forced.
  public var point: HookPoint { head == nil ? .mlpCodes(layer: layer) : .headCodes(layer: layer) }

  /// By layer, heads before the MLP.
  public static func < (a: Self, b: Self) -> Bool {
    (a.layer, a.head ?? .max) < (b.layer, b.head ?? .max)
  }

  /// Every codebook of a model, by layer.
  public static func all(of configuration: TransformerConfiguration) -> [CodebookAddress] {
    (0..<configuration.layers).flatMap { layer -> [CodebookAddress] in
      let heads = configuration.codebookShape(.heads)?.books ?? 0
      return (0..<heads).map { CodebookAddress(layer: layer, head: $0) }
        + (configuration.codebookShape(.mlp) == nil ? [] : [CodebookAddress(layer: layer, head: nil)])
    }
  }
}

/// One code.
public struct CodeAddress: Hashable, Sendable, CustomStringConvertible {
  /// The codebook.
  public var book: CodebookAddress
  /// The code's number in it, from 0.
  public var number: Int

  /// A code.
  public init(book: CodebookAddress, number: Int) {
    self.book = book
    self.number = number
  }

  /// `2.3:41` for code 41 of head 3 in layer 2, `2.mlp:41` for the MLP's.
  public var description: String { "\(book):\(number)" }
}

extension CodeAddress: LosslessStringConvertible {
  /// The code of a name; nil where it is not one.
  public init?(_ name: String) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[1]), number >= 0 else { return nil }
    let place = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard place.count == 2, let layer = Int(place[0]), layer >= 0 else { return nil }
    if place[1] == "mlp" {
      self.init(book: CodebookAddress(layer: layer, head: nil), number: number)
    } else {
      guard let head = Int(place[1]), head >= 0 else { return nil }
      self.init(book: CodebookAddress(layer: layer, head: head), number: number)
    }
  }
}
