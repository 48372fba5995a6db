import Files
import Transformers

extension TransformerError: ExplainedError {
  var sentence: String {
    switch self {
    case .malformedConfiguration(let path, let problem): "\(path) cannot be read: \(problem)"
    case .unknownFamily(let path, let modelType, let known):
      "\(path) describes a model of type '\(modelType)', which is not known; "
        + (nearestWord(to: modelType, among: known).map { "did you mean '\($0)'?" }
          ?? "known are \(known.joined(separator: ", "))")
    case .refusedFamily(let path, let modelType, let reason):
      "\(path) describes a model of type '\(modelType)', which cannot be read: \(reason)"
    case .quantizedWeights(let path, let method):
      "\(path) says that the weights are quantised by '\(method)', which is not read; take the model's own weights "
        + "(float32, float16, bfloat16 or float8) or a GGUF file"
    case .badOption(let path, let option, let problem): "in \(path), '\(option)' \(problem)"
    case .unsupportedOption(let path, let option, let value):
      "\(path) sets '\(option)' to \(value), which would change the numbers and is not supported"
    case .vocabularyTooLarge(let tokens, let rows):
      "the tokenizer has \(tokens) tokens, but the model's embedding has rows for \(rows)"
    case .emptyPrompt(let prompt): "prompt \(prompt) (counted from 0) has no tokens"
    case .promptTooLong(let prompt, let length, let context):
      "prompt \(prompt) (counted from 0) has \(length) tokens; the model reads at most \(context)"
    case .tokenOutOfRange(let prompt, let position, let id, let vocabulary):
      "prompt \(prompt) has token \(id) at position \(position) (both counted from 0); "
        + "the model knows tokens 0 to \(vocabulary - 1)"
    case .continuationsBothWays(let prompt):
      "prompt \(prompt) (counted from 0) has answers of several tokens, and the model looks both ways: what it makes of "
        + "a prompt would depend on the answer behind it; take answers of one token"
    case .unknownHookPoint(let name, let layers):
      "there is no hook point '\(name)' in a model of \(layers) layers"
        + (nearestWord(to: name, among: HookPoint.all(layers: layers).map(\.description))
          .map { "; did you mean '\($0)'?" } ?? "")
    case .absentHookPoint(let point, let reason): "this model has no \(point): \(reason)"
    case .metricNotFinite(let prompt, let value):
      "the metric of prompt \(prompt) (counted from 0) is \(value), not a finite number; "
        + "look for weights or inputs that overflow"
    case .malformedReference(let path, let problem): "\(path) cannot be compared with: \(problem)"
    }
  }
}
