// How much of a task the best heads of a ranking do by themselves.

import CausalMethods
import Tensors
import Transformers

/// Runs a task with only some heads in place, the others replaced; MLPs and embeddings stay.
public struct HeadFaithfulness {
  private let model: Transformer
  private let task: CausalTask
  private let replacement: SourceReplacement
  /// Mean metrics by the heads that were replaced.
  private var known: [Set<Int>: Double] = [:]

  /// Shares of heads kept.
  public static let shares = [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.85, 1]

  /// A study of one task.
  public init(_ model: Transformer, _ task: CausalTask, _ question: HeadQuestion) {
    self.model = model
    self.task = task
    replacement = question.sourceReplacement
  }

  /// f = (m(best heads) − m(no heads)) / (m(all heads) − m(no heads)) at each of `shares`.
  /// - Parameter scores: by layer and head.
  /// - Throws: `CausalError.noDifference` where all heads are worth no more than none; what running throws.
  public mutating func curve(_ scores: [Double]) throws -> FaithfulnessCurve {
    let order = scores.indices.sorted { (scores[$0], $1) > (scores[$1], $0) }
    let metrics = try Self.shares.map { share in
      try metric(without: Set(order.dropFirst(Int((share * Double(order.count)).rounded()))))
    }
    return try FaithfulnessCurve(
      shares: Self.shares, metrics: metrics, whole: metric(without: []),
      empty: metric(without: Set(scores.indices)), metric: task.metric)
  }

  private mutating func metric(without heads: Set<Int>) throws -> Double {
    if let value = known[heads] { return value }
    let values = try model.metric(of: task, ablating: heads.sorted(), replacement: replacement)
    let value = values.reduce(0, +) / Double(max(1, values.count))
    known[heads] = value
    return value
  }
}
