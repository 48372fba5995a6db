// A task's prompts as causal methods ask for them.

import CausalMethods

extension PromptSet {
  /// The positives with their answers, their own negatives as corrupted twins, and all negatives as the others.
  ///
  /// - Parameters:
  ///   - metric: how answers are scored; nil takes the set's own.
  ///   - needsPairs: whether every positive must have a negative of the same number of tokens.
  /// - Throws: `TaskError.badPrompt`, which names the first prompt that does not do, or `noPositives`.
  public func causalTask(metric: CausalMetric? = nil, needsPairs: Bool) throws(TaskError) -> CausalTask {
    var negativeOf: [Int: Int] = [:]
    for (positive, negative) in pairs { negativeOf[positive] = negative }
    let positives = prompts.indices.filter { prompts[$0].isPositive }
    guard !positives.isEmpty else { throw .noPositives(source: task, prompts: prompts.count) }
    var corrupted: [[Int]] = []
    for index in positives {
      guard let negative = negativeOf[index] else {
        if needsPairs {
          throw .badPrompt(
            source: task, prompt: index, problem: "it has no negative of its own to take values from")
        }
        continue
      }
      let (own, other) = (prompts[index].tokens.count, prompts[negative].tokens.count)
      if needsPairs, own != other {
        let problem =
          "it has \(own) tokens and its negative, prompt \(negative), has \(other); they must align"
        throw .badPrompt(source: task, prompt: index, problem: problem)
      }
      corrupted.append(prompts[negative].tokens)
    }
    return CausalTask(
      clean: positives.map { prompts[$0].tokens },
      corrupted: corrupted.count == positives.count ? corrupted : [],
      others: prompts.filter { !$0.isPositive }.map(\.tokens),
      questions: positives.map { prompts[$0].question }, metric: metric ?? self.metric.causal)
  }
}

extension AnswerMetric {
  /// The metric under its name among causal methods.
  var causal: CausalMetric { self == .logitDifference ? .logitDifference : .probabilityDifference }
}
