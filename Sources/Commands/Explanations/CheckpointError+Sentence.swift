import Checkpoints
import Tensors

extension CheckpointError: ExplainedError {
  var sentence: String {
    switch self {
    case .malformed(let path, let problem): "\(path) is not a sound file of tensors: \(problem)"
    case .missing(let path, let tensor): "\(path) has no tensor '\(tensor)'"
    case .wrongShape(let path, let tensor, let found, let expected):
      "tensor '\(tensor)' in \(path) has shape \(found) where \(expected) is needed"
    case .unsupportedType(let path, let tensor, let type):
      "tensor '\(tensor)' in \(path) has element type \(type), which cannot be read; use F32, F16, BF16 or "
        + "8-bit floats, or a GGUF file of Q2_K to Q8_0"
    case .notFinite(let path, let tensor, let index):
      "tensor '\(tensor)' in \(path) holds a value that is not finite, at element \(index)"
    }
  }
}
