// From recorded head outputs to an autoencoder's samples.

import Recordings
import Tensors

extension Recording {
  /// The number of positions that `headSamples` answers with: `T` where each is kept and not averaged, else 1.
  public func positionCount(averaging: Bool) -> Int {
    description.position == .each && !averaging ? tokenWidth : 1
  }

  /// The head outputs of some examples as `[examples, positions, layers · heads, d_model]`.
  ///
  /// Where each position was kept and `averaging` is asked for, the mean over a prompt's real positions takes their
  /// place. Otherwise positions past a prompt's length are zero.
  public func headSamples(_ range: Range<Int>, averaging: Bool) throws(RecordingError) -> Tensor {
    let outputs = try headOutputs(examples: range)
    let heads = description.layers * description.heads
    let width = description.dModel
    let positions = positionCount(averaging: averaging)
    guard description.position == .each, averaging else {
      return outputs.reshaped([range.count, positions, heads, width])
    }
    let block = heads * width
    var means = Tensor(zeros: [range.count, 1, heads, width])
    means.withMutableValues { means in
      outputs.withValues { outputs in
        for (row, example) in range.enumerated() {
          let length = examples[example].tokens.count
          for position in 0..<length {
            let source = (row * tokenWidth + position) * block
            for index in 0..<block { means[row * block + index] += outputs[source + index] }
          }
          let scale = 1 / Float(max(length, 1))
          for index in 0..<block { means[row * block + index] *= scale }
        }
      }
    }
    return means
  }
}
