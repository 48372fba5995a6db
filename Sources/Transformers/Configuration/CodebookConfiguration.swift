// Where a model has codebooks, and how they choose (Tamkin, Taufeeque & Goodman 2023, arXiv 2310.17230).

import Tensors

/// A bottleneck that puts the sum of the nearest of some learned codes in the place of a vector.
public struct CodebookConfiguration: Sendable, Equatable {
  /// What has codebooks.
  public enum Place: String, Sendable, CaseIterable {
    /// Each head's z, before W_O: one codebook a head.
    case heads
    /// Each MLP's output: one codebook a layer.
    case mlp
  }

  /// What has codebooks, in every layer.
  public var places: Set<Place>
  /// Codes of a codebook.
  public var codes: Int
  /// Codes that are active, which is to say summed, at a position.
  public var active: Int
  /// How near a code is.
  public var similarity: CodeSimilarity

  /// Codebooks.
  public init(places: Set<Place>, codes: Int, active: Int, similarity: CodeSimilarity = .cosine) {
    self.places = places
    self.codes = codes
    self.active = active
    self.similarity = similarity
  }
}

extension TransformerConfiguration {
  /// The shape of a layer's codebooks at a place; nil where there are none.
  public func codebookShape(_ place: CodebookConfiguration.Place) -> CodebookShape? {
    guard let codebooks, codebooks.places.contains(place) else { return nil }
    switch place {
    case .heads:
      return CodebookShape(books: heads, codes: codebooks.codes, active: codebooks.active, width: dHead)
    case .mlp:
      return CodebookShape(books: 1, codes: codebooks.codes, active: codebooks.active, width: dModel)
    }
  }
}

extension BlockPoint {
  /// The codebooks that a place belongs to.
  var codebookPlace: CodebookConfiguration.Place? {
    switch self {
    case .headCodesInput, .headCodes: .heads
    case .mlpCodesInput, .mlpCodes: .mlp
    default: nil
    }
  }

  /// Whether values are numbers of codes, which have no gradient.
  var isCodeNumbers: Bool { self == .headCodes || self == .mlpCodes }
}
