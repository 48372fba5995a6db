// Where a model's layers are cut, so that the largest stage is as small as can be.

import Checkpoints
import Files

extension TransformerStage {
  /// The layers of each of so many stages, balanced by the bytes of their parameters on file; the first has the embedding
  /// besides.
  ///
  /// - Throws: `FileError`, `CheckpointError` or `TransformerError` where the model cannot be read.
  /// - Precondition: there are as many layers as stages, at least.
  public static func cuts(ofFolder folder: String, stages: Int) throws -> [Range<Int>] {
    let source = try ModelSource(path: modelPath(folder))
    return cuts(
      of: try LayerBytes(source.checkpoint(), source.configuration), stages: stages)
  }

  /// Contiguous, none empty, the largest as small as can be; of such cuts those with the later stages as long as can be.
  static func cuts(of sizes: LayerBytes, stages: Int) -> [Range<Int>] {
    let count = sizes.layers.count
    precondition((1...max(1, count)).contains(stages), "\(stages) stages of \(count) layers")
    var sums = [0]
    for bytes in sizes.layers { sums.append(sums[sums.count - 1] + bytes) }
    func bytes(_ first: Int, _ end: Int) -> Int {
      sums[end] - sums[first] + (first == 0 ? sizes.embedding : 0)
    }
    // The largest of the best `stage + 1` stages of the first `end` layers, and where the last of them begins.
    var best = (0...count).map { bytes(0, $0) }
    var starts = [[Int](repeating: 0, count: count + 1)]
    for stage in 1..<max(1, stages) {
      var (next, begin) = ([Int](repeating: .max, count: count + 1), [Int](repeating: 0, count: count + 1))
      for end in (stage + 1)...max(stage + 1, count) {
        for first in stage..<end {
          let largest = max(best[first], bytes(first, end))
          if largest < next[end] { (next[end], begin[end]) = (largest, first) }
        }
      }
      best = next
      starts.append(begin)
    }
    var cuts: [Range<Int>] = []
    var end = count
    for stage in (0..<stages).reversed() {
      cuts.insert(starts[stage][end]..<end, at: 0)
      end = starts[stage][end]
    }
    return cuts
  }
}

/// How many bytes of parameters a model has in each layer, and in front of them.
struct LayerBytes: Equatable {
  var layers: [Int]
  var embedding: Int

  init(layers: [Int], embedding: Int) {
    self.layers = layers
    self.embedding = embedding
  }

  /// What the headers of a model's files say. The embedding's tables are taken to be stored as layers are.
  init(_ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration) throws {
    // A model of several parts has several series of layers; the text part's is the largest.
    var series: [String: (bytes: [Int], elements: Int, total: Int)] = [:]
    for name in checkpoint.names {
      guard let layer = SafetensorsCheckpoint.layer(of: name), layer < configuration.layers else { continue }
      let entry = try checkpoint.file(holding: name).entry(name)
      let prefix = name.components(before: layer)
      var sizes = series[prefix] ?? ([Int](repeating: 0, count: configuration.layers), 0, 0)
      sizes.bytes[layer] += entry.byteRange.count
      sizes.total += entry.byteRange.count
      sizes.elements += entry.count
      series[prefix] = sizes
    }
    let largest = series.sorted { $0.key < $1.key }.map(\.value).max { $0.total < $1.total }
    layers = largest?.bytes ?? [Int](repeating: 1, count: configuration.layers)
    let rows = configuration.vocabulary + (configuration.positions == .learned ? configuration.context : 0)
    let perElement = Double(layers.reduce(0, +)) / Double(max(1, largest?.elements ?? 1))
    embedding = Int(Double(rows * configuration.dModel) * perElement)
  }
}

extension String {
  /// The parts of a tensor's name in front of its layer's number.
  fileprivate func components(before layer: Int) -> String {
    split(separator: ".").prefix { Int($0) != layer }.joined(separator: ".")
  }
}
