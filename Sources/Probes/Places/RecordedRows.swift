// The rows of a recording place by place, with no more of the file in memory than a few layers.

import Recordings
import Tensors

/// Reads a recording layer by layer.
public struct RecordedRows {
  private let recording: Recording
  private let memory: Int
  private var loaded: Range<Int> = 0..<0
  /// `[layer of the loaded ones][prompts, position, heads, d_model]`.
  private var layers: [Tensor] = []
  private var stream: (layer: Int, sum: Tensor)?

  /// Rows of a recording.
  /// - Parameter memory: bytes of head outputs to hold at once; the file is read through once for each part of that
  ///   size.
  public init(_ recording: Recording, memory: Int = 1 << 30) {
    self.recording = recording
    self.memory = memory
  }

  /// The positions that a recording keeps apart, counted from a prompt's end; empty where it keeps one row a prompt.
  public static func positions(of recording: Recording) -> [Int] {
    recording.description.position == .each
      ? stride(from: -1, through: -recording.tokenWidth, by: -1).map { $0 } : []
  }

  /// The prompts that have a position.
  public static func prompts(of recording: Recording, at position: Int?) -> [Int] {
    recording.examples.indices.filter { recording.examples[$0].tokens.count >= -(position ?? 0) }
  }

  /// One row for each of some prompts, all of which have the place's position.
  /// - Throws: `RecordingError` where the file is damaged.
  public mutating func rows(_ place: Place, prompts: [Int]) throws(RecordingError) -> Tensor {
    let source = place.kind == .stream ? try streamOutputs(place.layer) : try layerOutputs(place.layer)
    let (width, heads) = (recording.description.dModel, source.shape[2])
    let starts = prompts.map { prompt in
      let length = recording.examples[prompt].tokens.count
      let position = place.position.map { length + $0 } ?? 0
      return (prompt * source.shape[1] + position) * heads * width
    }
    return source.withValues { values in
      Tensor(shape: [prompts.count, width]) { target in
        for (row, start) in starts.enumerated() {
          for column in 0..<width {
            guard let head = place.head else {
              var sum: Float = 0
              for head in 0..<heads { sum += values[start + head * width + column] }
              target[row * width + column] = sum
              continue
            }
            target[row * width + column] = values[start + head * width + column]
          }
        }
      }
    }
  }

  /// `[prompts, positions, heads, d_model]` of a layer.
  private mutating func layerOutputs(_ layer: Int) throws(RecordingError) -> Tensor {
    if !loaded.contains(layer) { try load(from: layer) }
    return layers[layer - loaded.lowerBound]
  }

  /// The sum over heads of this layer and those below: `[prompts, positions, 1, d_model]`.
  private mutating func streamOutputs(_ layer: Int) throws(RecordingError) -> Tensor {
    var (next, sum) = (0, Tensor(zeros: [0]))
    if let stream, stream.layer <= layer { (next, sum) = (stream.layer + 1, stream.sum) }
    while next <= layer {
      let own = try layerOutputs(next)
      let (outer, heads, width) = (own.shape[0] * own.shape[1], own.shape[2], own.shape[3])
      if sum.count == 0 { sum = Tensor(zeros: [own.shape[0], own.shape[1], 1, width]) }
      own.withValues { values in
        sum.withMutableValues { sums in
          for row in 0..<outer {
            for head in 0..<heads {
              let start = (row * heads + head) * width
              for column in 0..<width { sums[row * width + column] += values[start + column] }
            }
          }
        }
      }
      next += 1
    }
    stream = (layer, sum)
    return sum
  }

  /// Reads as many layers as are held at once.
  private mutating func load(from layer: Int) throws(RecordingError) {
    let description = recording.description
    let positions = description.position == .each ? recording.tokenWidth : 1
    let perPosition = description.heads * description.dModel
    let count = recording.examples.count
    let layerBytes = max(1, 4 * count * positions * perPosition)
    let layerCount = max(1, min(description.layers - layer, memory / layerBytes))
    layers = []
    let shape = [count, positions, description.heads, description.dModel]
    var read = (0..<layerCount).map { _ in Tensor(uninitialized: shape) }
    let exampleBytes = max(1, layerBytes / max(1, count) * description.layers)
    let step = max(1, (1 << 26) / exampleBytes)
    for start in stride(from: 0, to: count, by: step) {
      let range = start..<min(count, start + step)
      let part = try recording.headOutputs(examples: range)
      part.withValues { values in
        for place in 0..<layerCount {
          read[place].withMutableValues { target in
            for row in 0..<range.count * positions {
              let from = (row * description.layers + layer + place) * perPosition
              let to = (range.lowerBound * positions + row) * perPosition
              for column in 0..<perPosition { target[to + column] = values[from + column] }
            }
          }
        }
      }
    }
    layers = read
    loaded = layer..<layer + layerCount
  }
}
