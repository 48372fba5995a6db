// A recording by processes each of which holds some of a model's layers: for models larger than one machine's memory.

import CircuitDiscovery
import Files
import Transformers

/// Processes that share a model's layers, as one of them sees them.
public protocol StageTeam: PartTeam, StageLink {}

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
    let role = team.together(program, console, prepare)
    do {
      switch role {
      case .first(let pipeline, let read):
        try RecordCommand.record(read, with: HeadRecorder(read, pipeline), arguments, console: console)
        pipeline.finish()
      case .later(let stage): try work(stage)
      }
    } catch {
      let problem = TeamProblem(error)
      console.problem("\(program): \(problem.sentence)")
      team.abort(problem.code)
      exitProcess(problem.code)
    }
    team.waitForAll()
    if team.rank == 0 { console.finish(command: RecordCommand.name) }
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
