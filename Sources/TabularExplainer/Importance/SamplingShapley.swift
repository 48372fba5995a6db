// Shapley values of any black box by sampling (Štrumbelj & Kononenko 2014): background rows turn into the explained
// row, player by player, and every player is credited with the steps it makes.

import Tables
import Tensors

/// Shapley values of any black box against background rows, by permutation sampling.
///
/// One walk starts at a background row and gives one player after the other the explained row's cells, in a random
/// order; a player's share is what its step changes. Every order is walked backwards too (antithetic, Mitchell et al.
/// 2022), and every background row is walked from equally often, so that the values of a row add up to
/// `prediction − mean prediction of the background`, whatever the number of walks. With one or two players they are
/// exact; otherwise their error falls with the root of the number of walks and is told.
///
///     let sampling = SamplingShapley(background: rows, rounds: 4, seed: 1)
///     let values = try sampling.values(of: model, at: explained)
///
/// Cost: at most `2 · rounds · background rows · (players − 1)` predictions a row; steps that change no cell are free.
public struct SamplingShapley: Sendable {
  /// The rows that stand for "not known".
  public let background: Features
  /// What is credited together: the features of each player.
  public let players: [[Int]]
  /// Walks forth and back from each background row.
  public let rounds: Int
  /// The seed of the orders.
  public let seed: UInt64

  /// The most cells a black box is given in one call.
  private static let cellsACall = 1 << 22

  /// A sampler.
  /// - Parameters:
  ///   - background: rows drawn from where the model is at home; 20 to 100 are usual.
  ///   - players: features that act together, each feature in exactly one of them; nil for every feature alone.
  /// - Precondition: `rounds > 0`, there is a background row, every feature is in one player.
  public init(background: Features, players: [[Int]]? = nil, rounds: Int = 1, seed: UInt64) {
    let players = players ?? background.names.indices.map { [$0] }
    precondition(
      rounds > 0 && background.rowCount > 0, "\(rounds) rounds over \(background.rowCount) background rows")
    precondition(
      players.joined().sorted() == Array(background.names.indices),
      "players \(players) of \(background.count) features")
    self.background = background
    self.players = players
    self.rounds = rounds
    self.seed = seed
  }

  /// Shapley values of some rows.
  /// - Parameters:
  ///   - features: rows with the background's columns.
  ///   - first: the number of the first row, which its random orders follow; rows of a part are counted on.
  /// - Throws: what the black box throws; `TableError` where a column is not there.
  public func values(
    of model: any BlackBox, at features: Features, countedFrom first: Int = 0
  ) throws -> SampledShapleyValues {
    let table = try features.aligned(to: background.names, kinds: background.kinds)
    let outputs = model.outputNames.count
    let ends = try model.predict(table)
    let starts = try model.predict(background).values
    let baselines = (0..<outputs).map { output in
      (0..<background.rowCount).reduce(0) { $0 + Double(starts[$1 * outputs + output]) }
        / Double(background.rowCount)
    }
    var result = SampledShapleyValues(
      players: players, rowCount: table.rowCount, predictions: ends, baselines: baselines)
    for row in 0..<table.rowCount {
      var generator = SeededGenerator(seed: seed, stream: "shapley \(first + row)")
      let goal = table.row(row)
      let walks = walks(to: goal, &generator)
      let shares = shares(
        of: walks, stops: try answers(at: walks, to: goal, model), starts: starts,
        end: (0..<outputs).map { ends[row, $0] })
      result.set(row, pairs: shares, rounds: rounds)
    }
    return result
  }

  /// One way from a background row to the explained one: the players whose step changes a cell, in order.
  private struct Walk {
    var start: Int
    var steps: [Int]
  }

  /// All walks, each followed by the one in the opposite order.
  private func walks(to goal: [Float], _ generator: inout SeededGenerator) -> [Walk] {
    var walks: [Walk] = []
    for start in 0..<background.rowCount {
      let origin = background.row(start)
      let movers = players.indices.filter { player in
        players[player].contains { goal[$0] != origin[$0] && !(goal[$0].isNaN && origin[$0].isNaN) }
      }
      for _ in 0..<rounds {
        let order = generator.permutation(of: movers.count).map { movers[$0] }
        walks += [Walk(start: start, steps: order), Walk(start: start, steps: order.reversed())]
      }
    }
    return walks
  }

  /// The black box's answers after every step of every walk but the last, one after the other.
  private func answers(at walks: [Walk], to goal: [Float], _ model: any BlackBox) throws -> [Float] {
    var answers: [Float] = []
    // Row by row; walks are many and rows long, so that only as many are held as one call takes.
    var stops: [Float] = []
    func ask() throws {
      let width = goal.count
      let count = stops.count / max(1, width)
      guard count > 0 else { return }
      let cells = (0..<width).flatMap { feature in (0..<count).map { stops[$0 * width + feature] } }
      answers += try model.predict(
        background.replacing(rowCount: count, values: cells)
      ).values
      stops.removeAll(keepingCapacity: true)
    }
    for walk in walks {
      var cells = background.row(walk.start)
      for player in walk.steps.dropLast() {
        for feature in players[player] { cells[feature] = goal[feature] }
        stops += cells
        if stops.count >= Self.cellsACall { try ask() }
      }
    }
    try ask()
    return answers
  }

  /// The shares of players, `[players × outputs]`, averaged over each walk and its reverse.
  private func shares(of walks: [Walk], stops: [Float], starts: [Float], end: [Float]) -> [[Double]] {
    let outputs = end.count
    var shares: [[Double]] = []
    var stop = 0
    for (number, walk) in walks.enumerated() {
      if number % 2 == 0 { shares.append([Double](repeating: 0, count: players.count * outputs)) }
      var before = (0..<outputs).map { Double(starts[walk.start * outputs + $0]) }
      for (step, player) in walk.steps.enumerated() {
        let isLast = step == walk.steps.count - 1
        for output in 0..<outputs {
          let after = Double(isLast ? end[output] : stops[stop * outputs + output])
          shares[shares.count - 1][player * outputs + output] += (after - before[output]) / 2
          before[output] = after
        }
        if !isLast { stop += 1 }
      }
    }
    return shares
  }
}
