// Trees in files: one array a field of the nodes, which is a tenth of the size of one object a node.

extension Tree: Codable {
  private enum CodingKeys: String, CodingKey {
    case features, thresholds, left, right, covers, output
    case categoryStarts = "category_starts"
    case categoryWordCounts = "category_word_counts"
    case missingGoesLeft = "missing_goes_left"
    case zeroIsMissing = "zero_is_missing"
    case leafValues = "leaf_values"
    case categoryWords = "category_words"
  }

  /// Writes the tree; category arrays are left out where no split has categories.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(nodes.map(\.feature), forKey: .features)
    try container.encode(nodes.map(\.threshold), forKey: .thresholds)
    try container.encode(nodes.map(\.left), forKey: .left)
    try container.encode(nodes.map(\.right), forKey: .right)
    try container.encode(nodes.map { $0.missingGoesLeft ? 1 : 0 }, forKey: .missingGoesLeft)
    if nodes.contains(where: \.zeroIsMissing) {
      try container.encode(nodes.map { $0.zeroIsMissing ? 1 : 0 }, forKey: .zeroIsMissing)
    }
    if nodes.contains(where: \.isCategorical) {
      try container.encode(nodes.map(\.categoryStart), forKey: .categoryStarts)
      try container.encode(nodes.map(\.categoryWordCount), forKey: .categoryWordCounts)
      try container.encode(categoryWords, forKey: .categoryWords)
    }
    try container.encode(covers, forKey: .covers)
    try container.encode(leafValues, forKey: .leafValues)
    try container.encodeIfPresent(output, forKey: .output)
  }

  /// Reads a tree and checks it.
  /// - Throws: `DecodingError`, or `TreeError.malformedTree`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let features = try container.decode([Int32].self, forKey: .features)
    let count = features.count
    func array<Element: Decodable>(_ key: CodingKeys, default filler: Element) throws -> [Element] {
      guard container.contains(key) else { return Array(repeating: filler, count: count) }
      let values = try container.decode([Element].self, forKey: key)
      guard values.count == count else {
        throw TreeError.malformedTree(
          tree: 0, node: 0, problem: "\(values.count) \(key.stringValue) for \(count) nodes")
      }
      return values
    }
    let thresholds: [Float] = try array(.thresholds, default: 0)
    let (left, right): ([Int32], [Int32]) = (try array(.left, default: 0), try array(.right, default: 0))
    let missing: [Int] = try array(.missingGoesLeft, default: 0)
    let zero: [Int] = try array(.zeroIsMissing, default: 0)
    let starts: [Int32] = try array(.categoryStarts, default: -1)
    let words: [Int32] = try array(.categoryWordCounts, default: 0)
    let output = try container.decodeIfPresent(Int.self, forKey: .output)
    try self.init(
      nodes: (0..<count).map { index in
        Node(
          feature: features[index], threshold: thresholds[index], left: left[index], right: right[index],
          categoryStart: starts[index], categoryWordCount: words[index],
          missingGoesLeft: missing[index] != 0, zeroIsMissing: zero[index] != 0)
      },
      covers: try array(.covers, default: 0),
      leafValues: try container.decode([Double].self, forKey: .leafValues),
      categoryWords: try container.decodeIfPresent([UInt64].self, forKey: .categoryWords) ?? [],
      output: output, valuesPerLeaf: 1)
  }
}
