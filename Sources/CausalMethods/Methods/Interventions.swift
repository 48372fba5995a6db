// What happens to the answers when chosen parts of a model are replaced, alone or together, everywhere or at some
// positions.

import Tensors
import Transformers

/// A part of a model that is replaced as one.
public struct InterventionTarget: Sendable {
  /// The name it is reported under.
  public var name: String
  /// The nodes.
  public var nodes: [GraphNode]
  /// The positions of each prompt that are replaced; all where nil.
  public var positions: [[Int]]?

  /// Nodes, at all positions or at some of each prompt.
  public init(_ name: String, _ nodes: [GraphNode], positions: [[Int]]? = nil) {
    self.name = name
    self.nodes = nodes
    self.positions = positions
  }

  /// The same for some of the prompts.
  public func selecting(_ prompts: [Int]) -> InterventionTarget {
    InterventionTarget(name, nodes, positions: positions.map { positions in prompts.map { positions[$0] } })
  }
}

/// The answers with and without each intervention, by one metric.
public struct InterventionEffects: Sendable {
  /// The targets.
  public var targets: [InterventionTarget]
  /// The metric of each prompt with everything in place.
  public var base: [Double]
  /// The metric of each prompt with each target replaced, `[target][prompt]`.
  public var values: [[Double]]
  /// The metric of each prompt with everything replaced.
  public var replaced: [Double]

  /// What was measured, prompt by prompt.
  public init(targets: [InterventionTarget], base: [Double], values: [[Double]], replaced: [Double]) {
    self.targets = targets
    self.base = base
    self.values = values
    self.replaced = replaced
  }

  /// The same for some of the prompts.
  public func selecting(_ prompts: [Int]) -> InterventionEffects {
    InterventionEffects(
      targets: targets, base: prompts.map { base[$0] }, values: values.map { row in prompts.map { row[$0] } },
      replaced: prompts.map { replaced[$0] })
  }

  /// value − base of one target.
  public func effects(_ target: Int) -> [Double] { zip(values[target], base).map { $0 - $1 } }

  /// The effect on the mean, its share of what replacing everything does, and their 95 % bootstrap intervals over
  /// prompts.
  public func summary(_ target: Int, seed: UInt64) -> InterventionSummary {
    let effects = effects(target)
    let totals = zip(replaced, base).map { $0 - $1 }
    func mean(_ values: [Double], _ indices: some Collection<Int>) -> Double {
      indices.reduce(0) { $0 + values[$1] } / Double(max(1, indices.count))
    }
    func share(_ indices: some Collection<Int>) -> Double {
      let total = mean(totals, indices)
      return abs(total) > 1e-12 ? mean(effects, indices) / total : .nan
    }
    let all = effects.indices
    return InterventionSummary(
      effect: mean(effects, all),
      interval: bootstrapInterval(of: effects.count, resamples: 1000, seed: seed) { mean(effects, $0) },
      share: share(all))
  }
}

/// An intervention's effect.
public struct InterventionSummary: Sendable {
  /// Change of the mean metric.
  public var effect: Double
  /// Its 95 % bootstrap interval over prompts.
  public var interval: ClosedRange<Double>
  /// The effect as a share of that of replacing everything; NaN where that has none.
  public var share: Double
}

/// Replaces parts of a model, one target after the other.
public struct InterventionStudy {
  let model: Transformer
  let task: CausalTask
  let options: AttributionOptions
  let graph: CircuitGraph

  /// - Throws: `CausalError` for prompts without answers.
  public init(_ model: Transformer, _ task: CausalTask, _ options: AttributionOptions) throws {
    try task.requireAnswers()
    self.model = model
    self.task = task
    self.options = options
    graph = CircuitGraph(model.configuration)
  }

  /// Measures targets.
  ///
  /// Runs begin at the first layer that a target changes, and several targets with the same beginning share a run.
  /// - Throws: `CausalError` for a node that the model lacks or prompts without replacements, `TransformerError` for
  ///   prompts that it cannot read.
  public func effects(
    of targets: [InterventionTarget], progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> InterventionEffects {
    for node in targets.flatMap(\.nodes) where graph.sourceIndex(of: node) == nil {
      throw CausalError.absentNode(node.description, graph: graph)
    }
    var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
    let prompts = task.clean.count
    var base = [Double](repeating: 0, count: prompts)
    var replaced = base
    var values = [[Double]](repeating: base, count: targets.count)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    let whole = (0..<graph.sourceCount).map { graph.source($0) }
    for (done, indices) in batches.enumerated() {
      let study = try NodeStudy(
        model, graph, task.cleanBatch(indices),
        try task.logitMetric(indices, model: model), replacements: try donors.values(indices))
      let clean = try study.values(of: .whole(graph), from: graph.layers)
      let all = try study.values(replacing: [InterventionTarget("", whole)], prompts: indices)[0]
      for (place, prompt) in indices.enumerated() {
        (base[prompt], replaced[prompt]) = (clean[place], all[place])
      }
      let byStart = Dictionary(grouping: targets.indices) { target in
        targets[target].nodes.map { study.start(changing: $0) }.min() ?? 0
      }
      let size = study.copiesAtOnce(tokenLimit: 4 * options.tokenLimit)
      var measured = 0
      for (_, members) in byStart.sorted(by: { $0.key < $1.key }) {
        for first in stride(from: 0, to: members.count, by: size) {
          let part = Array(members[first..<min(first + size, members.count)])
          let found = try study.values(replacing: part.map { targets[$0] }, prompts: indices)
          for (target, row) in zip(part, found) {
            for (place, prompt) in indices.enumerated() { values[target][prompt] = row[place] }
          }
          measured += part.count
          progress(done * targets.count + measured, batches.count * targets.count)
        }
      }
    }
    return InterventionEffects(targets: targets, base: base, values: values, replaced: replaced)
  }
}

extension NodeStudy {
  /// The metric of each prompt with each target replaced; all begin at the first layer that any of them changes.
  func values(replacing targets: [InterventionTarget], prompts: [Int]) throws -> [[Double]] {
    let first = targets.flatMap(\.nodes).map { start(changing: $0) }.min() ?? 0
    var writes: [HookPoint: [Write]] = [:]
    for (copy, target) in targets.enumerated() {
      for node in target.nodes {
        guard let source = graph.sourceIndex(of: node) else { continue }
        let (point, head): (HookPoint, Int?) =
          switch node {
          case .input: (.residPre(layer: 0), nil)
          case .head(let layer, let head): (.result(layer: layer), head)
          case .mlp(let layer): (.mlpOut(layer: layer), nil)
          }
        let positions = target.positions.map { positions in prompts.map { positions[$0] } }
        writes[point, default: []].append(
          Write(copy: copy, head: head, row: replacements.row(source), positions: positions))
      }
    }
    let (batchSize, width) = (batch.count, batch.width)
    let edits = writes.mapValues { writes in
      Edit { value, _ in
        for write in writes { write.apply(to: &value, prompts: batchSize, positions: width) }
      }
    }
    let values = try model.values(
      of: repeatedMetric(targets.count), repeated(targets.count), applying: edits,
      from: StreamStart(layer: first, stream: repeated(streams[first], targets.count)))
    return targets.indices.map { Array(values[$0 * batchSize..<($0 + 1) * batchSize]) }
  }
}

/// One source's replacement on its way into a value of several copies of a batch.
private struct Write: Sendable {
  var copy: Int
  var head: Int?
  /// `[prompt · position · d_model]`.
  var row: Tensor
  /// The positions of each prompt of the batch; all where nil.
  var positions: [[Int]]?

  func apply(to value: inout Tensor, prompts: Int, positions width: Int) {
    let heads = head == nil ? 1 : value.shape[2]
    let dModel = value.shape[value.rank - 1]
    value.withMutableValues { values in
      row.withValues { row in
        for prompt in 0..<prompts {
          for position in positions?[prompt] ?? Array(0..<width) {
            let source = (prompt * width + position) * dModel
            let target = (((copy * prompts + prompt) * width + position) * heads + (head ?? 0)) * dModel
            for column in 0..<dModel { values[target + column] = row[source + column] }
          }
        }
      }
    }
  }
}
