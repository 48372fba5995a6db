// Parts of a task's prompts run the batches of the whole task.

import Transformers
import Testing

@testable import CausalMethods

@Suite struct TaskPartTests {
  /// Prompts of three lengths, whose first token is their number.
  private func task(_ count: Int) -> CausalTask {
    CausalTask(
      clean: (0..<count).map { [$0] + [Int](repeating: 1, count: 3 + $0 * 7 % 3) }, corrupted: [], others: [],
      questions: (0..<count).map { Question(position: 3 + $0 * 7 % 3, right: [1], wrong: [2]) },
      metric: .logitDifference)
  }

  @Test func everyPromptIsInOnePartAndEveryBatchIsTheWholes() throws {
    for count in 1...30 {
      let task = task(count)
      for limit in [1, 10, 17, 40, 1000] {
        let whole = Set(task.batches(tokenLimit: limit))
        for parts in 1...count {
          var seen: [Int] = []
          for part in 0..<parts {
            let range = count * part / parts..<count * (part + 1) / parts
            let cut = task.part(range, tokenLimit: limit)
            #expect(cut.task.clean == cut.prompts.map { task.clean[$0] })
            #expect(cut.task.numbers == cut.prompts)
            seen += cut.keptPrompts
            for batch in cut.task.batches(tokenLimit: limit) {
              #expect(whole.contains(batch.map { cut.prompts[$0] }), "\(count), \(limit), \(part)/\(parts)")
            }
          }
          #expect(seen.sorted() == Array(0..<count))
        }
      }
    }
  }

  /// Random choices for a prompt do not depend on which prompts stand beside it.
  @Test func numbersStayWithTheirPrompts() {
    let some = task(10).selecting([7, 2, 5])
    #expect(some.numbers == [7, 2, 5])
    #expect(some.selecting([2, 0]).numbers == [5, 7])
  }
}
