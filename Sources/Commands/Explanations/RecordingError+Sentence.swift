import Files
import Recordings

extension RecordingError: ExplainedError {
  var sentence: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(path): \(reason)"
    case .inUse(let path, let process): FileError.inUse(path: path, process: process).sentence
    case .unwritable(let path, let reason): "cannot write \(path): \(reason)"
    case .cutShort(let path, let reason):
      "cannot write \(path): \(reason); what was recorded before is kept, and the same command goes on with it"
    case .malformed(let path, let problem): "\(path) is not a sound recording: \(problem)"
    case .unfinished(let path, let recorded, let examples):
      "\(path) is unfinished: \(recorded) of \(examples) examples were recorded; "
        + "the same 'headlamp record' command goes on with it"
    case .unsupportedSchema(let path, let version):
      "\(path) has layout version \(version), which this version of headlamp does not know"
    case .differentPartial(let path, let difference):
      "\(path) is an unfinished recording of something else: \(difference); remove it or choose another output"
    case .notFinite(let path, let example):
      "\(path): the head outputs of example \(example) hold a value that is not finite"
    case .missingPart(let path, let part, let problem):
      "\(path) joins \(part), and \(problem); put it back or merge the parts again"
    case .missingExamples(let path, let count):
      "\(path) cannot be finished: \(count) examples were not recorded"
    }
  }
}
