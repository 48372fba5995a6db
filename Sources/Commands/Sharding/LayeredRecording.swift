// A recording by processes each of which holds some of a model's layers: for models larger than one machine's memory.

import CircuitDiscovery
import Files
import Transformers

/// Processes that share a model's layers, as one of them sees them.
public protocol StageTeam: PartTeam, StageLink {
  /// The lowest process whose code is not 0, with its code, once all have said theirs; nil where all are 0.
  func firstProblem(_ code: Int32) -> (rank: Int, code: Int32)?
}

/// What one process does of such a recording.
struct LayeredRecording<Team: StageTeam> {
  let arguments: ParsedArguments
  let team: Team
  let program: String
  let console: Console

  /// What a process has before the work begins.
  private enum Role {
    /// It has the first layers, makes the prompts and writes the recording.
    case first(StagePipeline<Team>, PromptOptions.Read)
    case later(TransformerStage)
  }

  /// Records, or ends the process, and with it all others, after one line about what is wrong.
  func run() {
    let role = prepareTogether()
    do {
      switch role {
      case .first(let pipeline, let read):
        try RecordCommand.record(read, with: HeadRecorder(read, pipeline), arguments, console: console)
        pipeline.finish()
      case .later(let stage): try work(stage)
      }
    } catch {
      let problem = Problem(error)
      console.problem("\(program): \(problem.sentence)")
      team.abort(problem.code)
      exitProcess(problem.code)
    }
    team.waitForAll()
    if team.rank == 0 { console.finish(command: RecordCommand.name) }
  }

  /// Loads this process's layers; where any process cannot, the first of them says why and all end.
  private func prepareTogether() -> Role {
    let role = Result { try prepare() }
    var own: Problem?
    if case .failure(let error) = role { own = Problem(error) }
    let first = team.firstProblem(own?.code ?? 0)
    if let first {
      if first.rank == team.rank, let own { console.problem("\(program): \(own.sentence)") }
      team.finish()
      exitProcess(first.code)
    }
    guard case .success(let role) = role else { exitProcess(1) }
    return role
  }

  private func prepare() throws -> Role {
    _ = try arguments.required(RecordCommand.output)
    let folder = try PromptOptions.folder(arguments)
    let layers = try Transformer.configuration(ofFolder: folder).layers
    guard team.size <= layers else {
      throw UsageError.invalid(
        "\(team.size) ranks cannot share the \(layers) layers of \(folder); start \(layers) at most")
    }
    let cuts = try TransformerStage.cuts(ofFolder: folder, stages: team.size)
    let read = team.rank == 0 ? try PromptOptions.read(arguments) : nil
    let stage = try TransformerStage(folder: folder, layers: cuts[team.rank])
    guard let read else { return .later(stage) }
    return .first(StagePipeline(stage, cuts, over: team), read)
  }

  private func work(_ stage: TransformerStage) throws {
    do {
      try stage.work(over: team)
    } catch let error as any ExplainedError {
      throw StageFailure(rank: team.rank, layers: stage.layers, underlying: error)
    }
  }

  /// An error as it is said, and what the process ends with.
  private struct Problem {
    var sentence: String
    var code: Int32

    init(_ error: any Error) {
      let explained = error as? any ExplainedError
      sentence = explained?.sentence ?? "\(error)"
      code = explained?.exitCode ?? 1
    }
  }
}

/// A process behind the first that could not go on.
struct StageFailure: ExplainedError {
  var rank: Int
  var layers: Range<Int>
  var underlying: any ExplainedError

  var sentence: String {
    "rank \(rank), layers \(layers.lowerBound) to \(layers.upperBound - 1): \(underlying.sentence)"
      + "; what is recorded is kept, and the same command goes on"
  }
}
