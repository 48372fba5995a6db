// What is lost where single codes are taken away instead of whole heads.

import CausalMethods
import Tensors
import Transformers

extension Transformer {
  /// Each prompt's metric where some codes have the activations of what stands in for their heads, the rest of these
  /// heads staying as it is: codes are set to f′ in the run as it then goes, layer after layer.
  ///
  /// - Parameter codes: which; one code takes one dimension away.
  /// - Throws: `CausalError` for a task that cannot be run, `TransformerError` for prompts the model cannot read.
  public func metric(
    of task: CausalTask, ablating codes: [HeadCode], of dictionary: CodeDictionary,
    replacement: SourceReplacement, tokenLimit: Int = 448, seed: UInt64 = 0
  ) throws -> [Double] {
    var donors = try HeadReplacements(self, task, replacement, seed: seed)
    var byHead: [Int: [Int]] = [:]
    for code in codes { byHead[code.head, default: []].append(code.code) }
    var metric = [Double](repeating: 0, count: task.clean.count)
    for indices in task.batches(tokenLimit: tokenLimit) {
      let stand = try donors.values(of: indices)
      let batch = task.cleanBatch(indices)
      let edits = try ablations(byHead, of: dictionary, standIns: stand)
      let values = try self.values(
        of: task.logitMetric(indices, model: self), batch, applying: edits)
      for (index, value) in zip(indices, values) { metric[index] = value }
    }
    return metric
  }

  /// Each prompt's metric where whole heads have the values of what stands in for them.
  /// - Throws: as `metric(of:ablating:of:replacement:)`.
  public func metric(
    of task: CausalTask, ablating heads: [Int], replacement: SourceReplacement, tokenLimit: Int = 448,
    seed: UInt64 = 0
  ) throws -> [Double] {
    var donors = try HeadReplacements(self, task, replacement, seed: seed)
    var metric = [Double](repeating: 0, count: task.clean.count)
    let perLayer = configuration.heads
    for indices in task.batches(tokenLimit: tokenLimit) {
      let stand = try donors.values(of: indices)
      let batch = task.cleanBatch(indices)
      var edits: [HookPoint: Edit] = [:]
      for (layer, chosen) in Dictionary(grouping: heads, by: { $0 / perLayer }) {
        let shape = [batch.count, batch.width, perLayer, configuration.dHead]
        let donor = stand[layer].reshaped(shape)
        for head in chosen {
          let edit = Edit.patchingHead(head % perLayer, from: donor)
          edits[.z(layer: layer)] = edits[.z(layer: layer)]?.followed(by: edit) ?? edit
        }
      }
      let values = try self.values(of: task.logitMetric(indices, model: self), batch, applying: edits)
      for (index, value) in zip(indices, values) { metric[index] = value }
    }
    return metric
  }

  private func ablations(
    _ byHead: [Int: [Int]], of dictionary: CodeDictionary, standIns: [Tensor]
  ) throws -> [HookPoint: Edit] {
    let perLayer = configuration.heads
    var edits: [HookPoint: Edit] = [:]
    for (layer, heads) in Dictionary(grouping: byHead.keys, by: { $0 / perLayer }) {
      let results = try weights.blocks[layer].attention.headResults(standIns[layer], heads: perLayer)
      let rows = results.count / (perLayer * configuration.dModel)
      let shape = [rows, perLayer, configuration.dModel]
      let first = layer * perLayer
      let wanted = dictionary.activations(of: results.reshaped(shape), firstHead: first)
      let chosen = heads.map { (head: $0 - first, codes: byHead[$0] ?? []) }
      edits[.block(layer: layer, .result)] = Edit { value, _ in
        let found = dictionary.activations(of: value.reshaped(shape), firstHead: first)
        value.addCodes(chosen, wanted, less: found, dictionary.directions, shape)
      }
    }
    return edits
  }
}

extension Tensor {
  /// Adds (wanted − found) · D of chosen codes to heads' outputs `[row, head, d_model]`.
  fileprivate mutating func addCodes(
    _ chosen: [(head: Int, codes: [Int])], _ wanted: Tensor, less found: Tensor, _ directions: Tensor,
    _ shape: [Int]
  ) {
    let (rows, heads, width, features) = (shape[0], shape[1], shape[2], directions.shape[0])
    withMutableValues { values in
      wanted.withValues { wanted in
        found.withValues { found in
          directions.withValues { directions in
            for row in 0..<rows {
              for (head, codes) in chosen {
                let place = (row * heads + head) * features
                for code in codes {
                  let change = wanted[place + code] - found[place + code]
                  if change == 0 { continue }
                  let (start, direction) = ((row * heads + head) * width, code * width)
                  for column in 0..<width {
                    values[start + column] += change * directions[direction + column]
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}

/// What taking away more and more dimensions costs.
public struct CodeAblationCurve: Sendable, Codable, Hashable {
  /// What was taken away: a dictionary's codes, or whole heads.
  public var name: String
  /// How many dimensions were taken away.
  public var dimensions: [Int]
  /// The mean share of the metric that was lost.
  public var lost: [Double]
  /// The ends of its 95 % bootstrap intervals over prompts.
  public var intervals: [ClosedRange<Double>]
}

extension Transformer {
  /// What the best codes of each dictionary, and the best heads, cost where they are taken away, at equal numbers of
  /// dimensions: a code takes one, a head takes d_head.
  ///
  /// - Parameters:
  ///   - attributions: whose codes are ranked by the size of their mean score; the first one's heads too.
  ///   - heads: how many heads' dimensions are taken away at most.
  /// - Throws: as `metric(of:ablating:of:replacement:)`.
  public func ablationCurves(
    _ task: CausalTask, _ attributions: [CodeAttribution], replacement: SourceReplacement, heads: Int = 4,
    tokenLimit: Int = 448, seed: UInt64 = 0, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [CodeAblationCurve] {
    let width = configuration.dHead
    // From one code up, doubling, to the dimensions of one head and then of several.
    var sizes: [Int] = []
    var size = 1
    while size < width {
      sizes.append(size)
      size *= 2
    }
    let whole = (1...max(1, heads)).map { $0 * width }
    let total = attributions.count * (sizes.count + whole.count) + whole.count
    var done = 0
    let base = try metric(
      of: task, ablating: [], replacement: replacement, tokenLimit: tokenLimit, seed: seed)
    let sum = base.reduce(0, +)
    func curve(_ name: String, _ sizes: [Int], _ run: (Int) throws -> [Double]) throws -> CodeAblationCurve {
      var curve = CodeAblationCurve(name: name, dimensions: sizes, lost: [], intervals: [])
      for size in sizes {
        let left = try run(size)
        func share(_ prompts: some Sequence<Int>) -> Double {
          var (gone, all) = (0.0, 0.0)
          for prompt in prompts {
            gone += base[prompt] - left[prompt]
            all += base[prompt]
          }
          return all == 0 ? 0 : gone / all
        }
        curve.lost.append(sum == 0 ? 0 : share(base.indices))
        curve.intervals.append(bootstrapInterval(of: base.count, seed: seed) { share($0) })
        done += 1
        progress(done, total)
      }
      return curve
    }
    var curves = try attributions.map { attribution in
      let means = attribution.meanCodes
      let order = means.indices.sorted { (abs(means[$0]), $1) > (abs(means[$1]), $0) }
      return try curve(attribution.dictionary.name, sizes + whole) { count in
        let codes = order.prefix(count).map {
          HeadCode(head: $0 / attribution.features, code: $0 % attribution.features)
        }
        return try metric(
          of: task, ablating: codes, of: attribution.dictionary, replacement: replacement,
          tokenLimit: tokenLimit, seed: seed)
      }
    }
    if let first = attributions.first {
      let scores = CodeRanking.scores(first)
      let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
      curves.append(
        try curve("whole heads", whole) { size in
          try metric(
            of: task, ablating: Array(order.prefix(size / width)), replacement: replacement,
            tokenLimit: tokenLimit, seed: seed)
        })
    }
    return curves
  }
}
