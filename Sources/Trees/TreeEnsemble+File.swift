// Ensembles in files: JSON with a version, whole or absent, checked when read.

import Files
import FoundationEssentials
import Tables

extension TreeEnsemble: Codable {
  private enum CodingKeys: String, CodingKey {
    case trees, scale, link
    case exactThresholds = "exact_thresholds"
    case schemaVersion = "schema_version"
    case featureNames = "feature_names"
    case featureKinds = "feature_kinds"
    case outputNames = "output_names"
    case baseScores = "base_scores"
  }

  /// The version of the file format that is written, and the only one that is read.
  public static let schemaVersion = 1

  /// Writes the ensemble with its schema version.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schemaVersion, forKey: .schemaVersion)
    try container.encode(featureNames, forKey: .featureNames)
    try container.encode(featureKinds, forKey: .featureKinds)
    try container.encode(outputNames, forKey: .outputNames)
    try container.encode(baseScores, forKey: .baseScores)
    try container.encode(scale, forKey: .scale)
    try container.encode(link, forKey: .link)
    try container.encode(trees, forKey: .trees)
    if !scales.isEmpty { try container.encode(exactThresholds, forKey: .exactThresholds) }
  }

  /// The doubles that a feature's thresholds stand for.
  private struct ExactThresholds: Codable {
    var feature: Int
    var thresholds: [Float]
    var values: [Double]
  }

  private var exactThresholds: [ExactThresholds] {
    scales.keys.sorted().compactMap { feature in
      guard let scale = scales[feature] else { return nil }
      let used = trees.flatMap { tree in
        tree.nodes.filter { Int($0.feature) == feature && !$0.isCategorical && $0.threshold.isFinite }.map(
          \.threshold)
      }
      let thresholds = Set(used).sorted()
      return ExactThresholds(
        feature: feature, thresholds: thresholds, values: thresholds.map { scale.value(of: $0) })
    }
  }

  /// Reads an ensemble and checks it.
  /// - Throws: `DecodingError`, or `TreeError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let version = try container.decode(Int.self, forKey: .schemaVersion)
    guard version == Self.schemaVersion else { throw TreeError.unknownVersion(version) }
    var scales: [Int: ExactScale] = [:]
    for exact in try container.decodeIfPresent([ExactThresholds].self, forKey: .exactThresholds) ?? [] {
      scales[exact.feature] = try ExactScale(standIns: exact.thresholds, values: exact.values)
        .orThrow(
          TreeError.malformedEnsemble(problem: "the exact thresholds of feature \(exact.feature) do not rise")
        )
    }
    try self.init(
      featureNames: container.decode([String].self, forKey: .featureNames),
      featureKinds: container.decode([FeatureKind].self, forKey: .featureKinds),
      outputNames: container.decode([String].self, forKey: .outputNames),
      trees: container.decode([Tree].self, forKey: .trees),
      baseScores: container.decode([Double].self, forKey: .baseScores),
      scale: container.decode(Double.self, forKey: .scale), link: container.decode(Link.self, forKey: .link),
      scales: scales)
  }

  /// What a file begins with: a digest of itself without these words, by which a changed byte is told.
  private static let digestOpening = "{\"sha256\":\""

  /// Writes the ensemble as a JSON file that begins with its digest.
  /// - Throws: `FileError` where the file cannot be written.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let data = try encoder.encode(self)
    let digest = Self.digest(of: data)
    try writeFile(Data((Self.digestOpening + digest + "\",").utf8) + data.dropFirst(), to: path)
  }

  private static func digest(of data: Data) -> String {
    let digest = SHA256Digest()
    data.withUnsafeBytes { digest.update($0.bytes) }
    return digest.hexadecimal()
  }

  /// Whether a file is as it was written; one that does not begin with a digest, as after it was laid out anew, is taken
  /// as it is.
  private static func isAsWritten(_ data: Data) -> Bool {
    let (opening, digits) = (Data(digestOpening.utf8), 64)
    guard data.starts(with: opening), data.count > opening.count + digits + 2 else { return true }
    let written = data.dropFirst(opening.count).prefix(digits)
    let rest = Data("{".utf8) + data.dropFirst(opening.count + digits + 2)
    return written.elementsEqual(digest(of: rest).utf8)
  }

  /// Reads the bytes of a file that `write(to:)` has written.
  /// - Throws: `DecodingError`, or `TreeError` where they are not those that were written, or not a sound ensemble.
  public init(parsing data: Data) throws {
    guard Self.isAsWritten(data) else { throw TreeError.changedSinceWritten }
    self = try JSONDecoder().decode(TreeEnsemble.self, from: data)
  }

  /// Reads an ensemble that `write(to:)` has written.
  /// - Throws: `FileError`, or `TreeError` where the file is not a sound ensemble.
  public init(readingFrom path: String) throws {
    let data = try MappedFile(path: path).withBytes { bytes in bytes.withUnsafeBytes { Data($0) } }
    do {
      try self.init(parsing: data)
    } catch let error as TreeError {
      throw error
    } catch {
      throw TreeError.notAModel(path: path)
    }
  }
}

extension Optional {
  fileprivate func orThrow(_ error: TreeError) throws -> Wrapped {
    guard let value = self else { throw error }
    return value
  }
}
