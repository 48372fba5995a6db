// What is wrong with one process of a team, said once.

import Files
import Trees

/// An error as it is said, and what the process ends with.
struct TeamProblem {
  var sentence: String
  var code: Int32

  init(_ error: any Error) {
    let explained = error as? any ExplainedError
    sentence = explained?.sentence ?? "\(error)"
    code = explained?.exitCode ?? 1
  }
}

extension PartTeam {
  /// What each process needs before the work begins; where any of them fails, the first that does says why and all end.
  func together<Value>(_ program: String, _ console: Console, _ body: () throws -> Value) -> Value {
    let outcome = Result { try body() }
    var own: TeamProblem?
    if case .failure(let error) = outcome { own = TeamProblem(error) }
    if let first = firstProblem(own?.code ?? 0) {
      if first.rank == rank, let own { console.problem("\(program): \(own.sentence)") }
      finish()
      exitProcess(first.code)
    }
    guard case .success(let value) = outcome else { exitProcess(1) }
    return value
  }
}
