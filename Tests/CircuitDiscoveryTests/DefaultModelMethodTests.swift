// What must hold of causal methods on the model that comes with the program.

import CausalMethods
import CircuitDiscovery
import Testing
import Transformers

@Suite struct DefaultModelMethodTests {
  /// A bundled task's first prompts with the bundled model.
  private func study(_ name: String, prompts: Int) throws -> (model: Transformer, task: CausalTask) {
    let library = TaskLibrary.bundled()
    let folder = try #require(library.folder) + "/default-model"
    let limits = try PromptLimits(modelFolder: folder)
    let task = try library.task(name)
    let made = try task.prompts(examples: prompts, seed: 3, limits: limits)
    let set = try PromptSet(made.prompts, task: task.name, seed: 3, metric: task.metric, limits: limits)
    return (try Transformer(folder: folder), try set.causalTask(needsPairs: true))
  }

  @Test(arguments: ["ioi", "greater-than", "induction", "docstring"])
  func integratedGradientsOfANodeSumToItsPatchEffect(name: String) throws {
    let (model, task) = try study(name, prompts: 4)
    var options = AttributionOptions()
    options.steps = 20
    options.settings["alone"] = 1
    let integrated = try IntegratedGradients().attribute(model, task, options) { _, _ in }
    let exact = try NodePatching().attribute(model, task, options) { _, _ in }
    let (found, effects) = (try #require(integrated.nodeScores), try #require(exact.nodeScores))
    let largest = effects.map(abs).max() ?? 0
    #expect(largest > 0.01)
    for (node, effect) in effects.enumerated() {
      // Within 2 % of the effect, or of a twentieth of the largest where it is smaller than that.
      #expect(abs(found[node] - effect) <= 0.02 * max(abs(effect), 0.05 * largest), "node \(node)")
    }
  }

  @Test(arguments: ["ioi", "induction", "docstring"])
  func directLogitAttributionSumsToTheLogitDifference(name: String) throws {
    var (model, task) = try study(name, prompts: 8)
    task.metric = .logitDifference
    let direct = try DirectLogitAttribution(model, task)
    let logits = try model.values(of: LogitDifference(task.questions), TokenBatch(task.clean))
    for prompt in task.clean.indices {
      let sum = direct.contributions[prompt].reduce(0, +) + direct.constant[prompt]
      #expect(abs(sum - logits[prompt]) < 1e-3 * max(1, abs(logits[prompt])))
    }
  }
}
