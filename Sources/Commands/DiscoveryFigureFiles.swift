// What discover leaves for figures beside its rankings: prompts, contexts of codes, attention, edges, curves.

import CausalMethods
import CircuitDiscovery
import Files
import Reports
import SparseAutoencoders
import Tensors
import Transformers

/// Tables that figures of a discovery are drawn of.
struct DiscoveryFigureFiles {
  let model: Transformer
  let task: CausalTask
  let words: TokenWords
  let folder: String
  let replacement: SourceReplacement
  let seed: UInt64

  /// Prompts that are shown, at most.
  private static let shownPrompts = 60
  /// Prompts longer than this are not drawn as squares of attention.
  private static let longestSquare = 48

  /// `training.csv`: the loss of each dictionary, at no more than 200 steps.
  func writeTraining(_ losses: [[Double]]) throws(FileError) {
    var document = CSVDocument(header: ["dictionary", "step", "loss"])
    for (number, losses) in losses.enumerated() {
      let interval = max(1, losses.count / 200)
      for step in losses.indices where step % interval == 0 || step == losses.count - 1 {
        document.append([.integer(number + 1), .integer(step + 1), .number(losses[step])])
      }
    }
    try document.write(to: folder + "/training.csv")
  }

  /// `prompts.csv`: the first prompts as tokens, each with what replaces it.
  func writePrompts() throws(FileError) {
    var document = CSVDocument(header: ["prompt", "kind", "position", "token"])
    for prompt in task.clean.indices.prefix(Self.shownPrompts) {
      append("positive", prompt, task.clean[prompt], to: &document)
      if task.corrupted.indices.contains(prompt) {
        append("negative", prompt, task.corrupted[prompt], to: &document)
      }
    }
    try document.write(to: folder + "/prompts.csv")
  }

  private func append(_ kind: String, _ prompt: Int, _ tokens: [Int], to document: inout CSVDocument) {
    for (position, token) in tokens.enumerated() {
      document.append([.integer(prompt), .text(kind), .integer(position), .text(words[token])])
    }
  }

  /// `code-contexts.csv`: where the codes of cards are active.
  func writeContexts(_ cards: [CodeCard], _ dictionary: CodeDictionary) throws {
    let perLayer = model.configuration.heads
    let codes = cards.map { HeadCode(head: $0.layer * perLayer + $0.head, code: $0.code) }
    let prompts = Array(task.clean.indices.prefix(Self.shownPrompts))
    var document = CSVDocument(header: [
      "layer", "head", "code", "prompt", "position", "token", "activation",
    ])
    for context in try model.contexts(of: codes, in: dictionary, task, prompts: prompts) {
      let tokens = task.clean[context.prompt]
      for (position, activation) in context.activations.enumerated() {
        document.append([
          .integer(context.code.head / perLayer), .integer(context.code.head % perLayer),
          .integer(context.code.code), .integer(context.prompt), .integer(position),
          .text(words[tokens[position]]), .number(Double(activation)),
        ])
      }
    }
    try document.write(to: folder + "/code-contexts.csv")
  }

  /// `attention.csv`: the patterns of some heads on the first prompts.
  func writeAttention(_ heads: [HeadIndex], prompts count: Int) throws {
    var document = CSVDocument(header: ["layer", "head", "prompt", "query", "key", "weight"])
    let points = Set(heads.map { HookPoint.pattern(layer: $0.layer) })
    let shown = task.clean.indices.filter { task.clean[$0].count <= Self.longestSquare }.prefix(count)
    for prompt in shown {
      let values = try model.run(TokenBatch([task.clean[prompt]]), reading: points)
      for head in heads {
        let pattern = values[.pattern(layer: head.layer)]
        for query in task.clean[prompt].indices {
          for key in task.clean[prompt].indices {
            let weight = Double(pattern[0, head.head, query, key])
            // Later tokens are seen by encoders only.
            guard key <= query || weight > 0 else { continue }
            document.append([
              .integer(head.layer), .integer(head.head), .integer(prompt), .integer(query), .integer(key),
              .number((weight * 1e4).rounded() / 1e4),
            ])
          }
        }
      }
    }
    guard !document.rows.isEmpty else { return }
    try document.write(to: folder + "/attention.csv")
  }

  /// `direct.csv`: what each head adds to the answer by itself, over the first prompts.
  func writeDirect(prompts count: Int) throws {
    let part = task.selecting(Array(task.clean.indices.prefix(count)))
    // A stream that is normalised on its way is not a sum of what heads write.
    guard (try? model.requireSummedStream(for: "direct logit attribution")) != nil else { return }
    let direct = try DirectLogitAttribution(model, part)
    let graph = CircuitGraph(model.configuration)
    var document = CSVDocument(header: ["layer", "head", "direct"])
    for layer in 0..<graph.layers {
      for head in 0..<graph.heads {
        guard let source = graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
        document.append([
          .integer(layer), .integer(head), .number(average(direct.contributions.map { $0[source] })),
        ])
      }
    }
    try document.write(to: folder + "/direct.csv")
  }

  /// `edges.csv`: the strongest edges by EAP, over the first prompts.
  func writeEdges(prompts count: Int) throws {
    // A stream that is normalised on its way is not a sum of what nodes write.
    guard (try? model.requireSummedStream(for: EdgeAttribution.name)) != nil else { return }
    var options = AttributionOptions()
    (options.replacement, options.seed) = (replacement, seed)
    let part = task.selecting(Array(task.clean.indices.prefix(count)))
    let result = try EdgeAttribution().attribute(model, part, options) { _, _ in }
    guard let scores = result.edgeScores, let edges = AttributionSummary(result, seed: seed).edges else {
      return
    }
    let circuit = Circuit(result.graph, top: min(300, scores.count), scores: scores).pruned()
    try NodeTable.edges(edges, circuit).keeping { $0 == .boolean(true) }.write(to: folder + "/edges.csv")
  }

  /// `heads-kept.csv`: how much of the task the best heads keep by themselves.
  func writeCurve(_ scores: [Double], prompts count: Int) throws {
    let part = task.selecting(Array(task.clean.indices.prefix(count)))
    let question: HeadQuestion = replacement == .mean ? .mean : .pair
    var study = HeadFaithfulness(model, part, question)
    let curve: FaithfulnessCurve
    do {
      curve = try study.curve(scores)
    } catch CausalError.noDifference {
      // Heads that make no difference have no curve.
      return
    }
    var document = CSVDocument(header: ["share_of_heads", "heads", "faithfulness"])
    for (share, value) in zip(curve.shares, curve.faithfulness) {
      document.append([
        .number(share), .integer(Int((share * Double(scores.count)).rounded())), .number(value),
      ])
    }
    try document.write(to: folder + "/heads-kept.csv")
  }
}

extension CSVDocument {
  /// The rows whose last cell is as asked.
  fileprivate func keeping(_ isWanted: (CSVCell) -> Bool) -> CSVDocument {
    var result = CSVDocument(header: header)
    for row in rows where row.last.map(isWanted) ?? false { result.append(row) }
    return result
  }
}
