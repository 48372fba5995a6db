// What keeps a dictionary's activations few: in training, and of what was trained.

/// What keeps activations few while a dictionary is trained.
public enum DictionarySparsity: Hashable, Codable, Sendable {
  /// λ times the L1 norm of activations, for samples of mean squared length 1.
  case penalty(Double)
  /// The largest k of each sample stay (Makhzani & Frey 2013; Gao et al. 2024, arXiv 2406.04093).
  case topK(Int)
  /// The largest k · samples of a batch stay, so that samples may differ in how many they use; after training what is
  /// above a threshold stays (Bussmann et al. 2024, arXiv 2412.06410).
  case batchTopK(Int)

  /// Activations that stay in a sample, on average; nil where there is no such number.
  public var activeFeatures: Int? {
    switch self {
    case .penalty: nil
    case .topK(let count), .batchTopK(let count): count
    }
  }

  /// λ; 0 where activations are counted instead.
  public var weight: Double { if case .penalty(let weight) = self { weight } else { 0 } }

  /// In words.
  public var text: String {
    switch self {
    case .penalty(let weight): "lambda \(weight)"
    case .topK(let count): "\(count) active features a sample"
    case .batchTopK(let count): "\(count) active features a sample on average, by a threshold"
    }
  }
}

/// Which activations of a sample stay.
public enum CodeSelection: Hashable, Sendable {
  /// All above zero.
  case all
  /// The largest few.
  case largest(Int)
  /// All above a threshold.
  case above(Float)
}
