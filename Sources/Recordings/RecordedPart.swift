// A part of a recording that several processes make, each in a file of its own.

import CHDF5
import Files

/// Which part of a recording a file is, and what of the whole it must remember.
public struct RecordedPart: Hashable, Sendable {
  /// Which part, of what.
  public var manifest: ShardManifest
  /// The longest prompt of the whole recording, in tokens: parts are as wide.
  public var tokenWidth: Int
  /// For each example its partner's index in the whole recording, which may lie in another part.
  public var pairs: [Int?]

  /// A part.
  public init(manifest: ShardManifest, tokenWidth: Int, pairs: [Int?]) {
    (self.manifest, self.tokenWidth, self.pairs) = (manifest, tokenWidth, pairs)
  }

  /// The part of a whole set of examples that a manifest names, and its examples by themselves: pairs that lie across
  /// the border of parts are told by `pairs` alone.
  public static func cut(
    _ examples: [RecordedExample], _ manifest: ShardManifest
  ) -> (part: RecordedPart, examples: [RecordedExample]) {
    let range = manifest.range
    let own = examples[range].map { example in
      var example = example
      example.pair = example.pair.flatMap { range.contains($0) ? $0 - range.lowerBound : nil }
      return example
    }
    let part = RecordedPart(
      manifest: manifest, tokenWidth: examples.map(\.tokens.count).max() ?? 0,
      pairs: examples[range].map(\.pair))
    return (part, own)
  }

  private static let manifestName = "shard"
  private static let pairsName = "whole_pairs"

  /// Writes what a new file says of it.
  func write(to file: HDF5File) throws(RecordingError) {
    try file.writeAttribute(Self.manifestName, manifest.json.line)
    try file.createDataset(Self.pairsName, chdf5_std_i32le(), shape: [pairs.count])
    try file.write(pairs.map { Int32($0 ?? -1) }, rows: 0..<pairs.count, of: Self.pairsName, .int32)
  }

  /// Reads what a file says of it; nil where it is a whole recording.
  init?(_ file: HDF5File, examples: Int, tokenWidth: Int) throws(RecordingError) {
    guard file.hasAttribute(Self.manifestName) else { return nil }
    let text = try file.textAttribute(Self.manifestName)
    guard let manifest = try? ShardManifest(text: text, of: file.path) else {
      throw file.malformed("attribute '\(Self.manifestName)' is no description of a part")
    }
    let length = try file.shape(of: Self.pairsName, HDF5Element.int32.family, ranks: 1...1)[0]
    guard length == examples, manifest.range.count == examples else {
      throw file.malformed("it is part \(manifest.shard) of \(manifest.total), and has \(examples) examples")
    }
    var stored = [Int32](repeating: -1, count: examples)
    try file.read(Self.pairsName, rows: 0..<examples, .int32, into: &stored)
    guard stored.allSatisfy({ $0 >= -1 && Int($0) < manifest.total }) else {
      throw file.malformed("/\(Self.pairsName) names examples that the whole does not have")
    }
    self.init(manifest: manifest, tokenWidth: tokenWidth, pairs: stored.map { $0 < 0 ? nil : Int($0) })
  }

  /// The first thing in which an unfinished part differs from one that is to be made; nil where it is that one.
  static func difference(_ mine: RecordedPart?, _ other: RecordedPart?) -> String? {
    switch (mine, other) {
    case (nil, nil): return nil
    case (let mine?, let other?):
      if mine.manifest.shard != other.manifest.shard {
        return "it is part \(mine.manifest.shard), not \(other.manifest.shard)"
      }
      return mine.manifest.difference(from: other.manifest)
        ?? (mine.pairs == other.pairs ? nil : "its pairs are others")
    case (let mine?, nil): return "it is part \(mine.manifest.shard), not a whole recording"
    case (nil, let other?): return "it is a whole recording, not part \(other.manifest.shard)"
    }
  }
}
