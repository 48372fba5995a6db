import Files
import Probes

extension ProbeError: ExplainedError {
  var sentence: String {
    switch self {
    case .noField(let name, let nearest, let known):
      "there is no field '\(name)'"
        + (nearest.map { "; did you mean '\($0)'?" }
          ?? "; known are \(known.joined(separator: ", ")), and --fields FILE adds those of a file")
    case .badLine(let path, let line, let problem): "\(path), line \(line): \(problem)"
    case .otherCount(let path, let records, let prompts):
      "\(path) has \(records) records and the recording \(prompts) prompts; one record for each prompt is needed, in "
        + "the recording's order"
    case .otherPrompt(let path, let line, let prompt):
      "\(path), line \(line): its prompt is not prompt \(prompt) of the recording; records must stand in the "
        + "recording's order"
    case .noToken(let prompt, let position, let length):
      "prompt \(prompt) (counted from 0) has \(length) tokens, and none at position \(position)"
    case .tooFewClasses(let field, let classes, let least, let examples):
      "'\(field)' has \(classes == 0 ? "no value" : "one value") that \(least) or more of the \(examples) prompts have; "
        + "a probe needs two"
    case .tooManyClasses(let field, let classes, let most):
      "'\(field)' has \(classes) values that many prompts have; at most \(most) classes are probed"
    case .cannotSplit(let field, let name, let isTraining):
      "prompts of '\(field)' \(name) hang together, as pairs or by equal tokens, so that none is left to "
        + (isTraining ? "train on" : "hold out")
    case .noPosition(let least):
      "at no position from the end have all classes the \(least) prompts that a probe needs"
    case .tooFewPrompts(let path, let prompts, let least):
      "\(path) has \(prompts) prompts; \(least) are needed"
    case .notANormality(let path, let problem):
      "\(path) holds no normality model made by 'headlamp normality fit': \(problem)"
    case .otherModel(let fact, let fitted, let given):
      "\(fact) differ: '\(fitted)' and '\(given)'; both must be of one model and one kind of recording"
    }
  }
}
