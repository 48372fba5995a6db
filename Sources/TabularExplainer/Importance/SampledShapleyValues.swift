// What sampling Shapley values gives: contributions of players to every output, row by row, with their errors.

import Tensors

/// Shapley values of rows, by sampling: `baseline + Σ values = prediction` for every row and output.
public struct SampledShapleyValues: Sendable, Equatable {
  /// The features of each player.
  public let players: [[Int]]
  /// The number of rows.
  public let rowCount: Int
  /// The black box's predictions for the rows, shape `[rows, outputs]`.
  public let predictions: Tensor
  /// Its mean prediction for the background, one number an output.
  public let baselines: [Double]
  /// Contributions `[rows, players, outputs]`, row-major.
  public private(set) var values: [Double]
  /// Standard errors of `values`; with one round they count the spread between background rows as error too and are
  /// upper bounds, NaN where there is one background row.
  public private(set) var errors: [Double]

  /// The number of outputs.
  public var outputCount: Int { baselines.count }

  init(players: [[Int]], rowCount: Int, predictions: Tensor, baselines: [Double]) {
    self.players = players
    self.rowCount = rowCount
    self.predictions = predictions
    self.baselines = baselines
    values = [Double](repeating: 0, count: rowCount * players.count * baselines.count)
    errors = values
  }

  /// The contributions of one row to one output, in the order of `players`.
  public func contributions(row: Int, output: Int) -> [Double] { pick(values, row, output) }

  /// The standard errors of one row's contributions to one output, in the order of `players`.
  public func errors(row: Int, output: Int) -> [Double] { pick(errors, row, output) }

  private func pick(_ numbers: [Double], _ row: Int, _ output: Int) -> [Double] {
    players.indices.map { numbers[(row * players.count + $0) * outputCount + output] }
  }

  /// The contributions of every row to one output of its own, as other probes give them.
  /// - Parameter names: the names of the features; a player of several is called by all of them.
  public func attributions(outputs: [Int], names: [String]) -> RowAttributions {
    precondition(outputs.count == rowCount, "\(outputs.count) outputs for \(rowCount) rows")
    let parts = outputs.indices.flatMap { row in
      contributions(row: row, output: outputs[row]).map { Float($0) }
    }
    return RowAttributions(
      method: "sampling-shap", names: players.map { $0.map { names[$0] }.joined(separator: " + ") },
      outputs: outputs, values: Tensor(parts, shape: [rowCount, players.count]),
      predictions: outputs.indices.map { Double(predictions[$0, outputs[$0]]) },
      baselines: outputs.map { baselines[$0] })
  }

  /// Sets a row's contributions to the mean over pairs of walks, `rounds` pairs for each background row.
  mutating func set(_ row: Int, pairs: [[Double]], rounds: Int) {
    let (count, width) = (Double(pairs.count), players.count * outputCount)
    for place in 0..<width {
      values[row * width + place] = pairs.reduce(0) { $0 + $1[place] } / count
      // What differs between background rows is no error: all of them are walked from.
      let strata =
        rounds > 1 ? stride(from: 0, to: pairs.count, by: rounds).map { $0..<$0 + rounds } : [pairs.indices]
      let squares = strata.reduce(0) { sum, stratum in
        let size = Double(stratum.count)
        guard size > 1 else { return sum + .nan }
        let mean = pairs[stratum].reduce(0) { $0 + $1[place] } / size
        let spread = pairs[stratum].reduce(0) { $0 + ($1[place] - mean) * ($1[place] - mean) }
        return sum + spread * size / (size - 1)
      }
      errors[row * width + place] = squares.squareRoot() / count
    }
  }
}
