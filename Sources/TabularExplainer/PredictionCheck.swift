// What a black box answers is checked before anything is measured on it.

import Tensors

/// Refuses answers that are no predictions: every number must be finite, and classes' probabilities must lie between 0
/// and 1 and sum to 1 in each row.
/// - Parameters:
///   - outputs: shape `[rows, outputs]`.
///   - model: what the black box is called, for the message.
/// - Throws: `TabularExplainerError.notPredictions` with the first row that is wrong.
func requirePredictions(
  _ outputs: Tensor, of model: String, areClasses: Bool
) throws(TabularExplainerError) {
  let values = outputs.values
  let width = max(1, outputs.shape.last ?? 1)
  if let place = values.firstIndex(where: { !$0.isFinite }) {
    throw .notPredictions(model: model, row: place / width, problem: "a prediction is \(values[place])")
  }
  guard areClasses else { return }
  for start in stride(from: 0, to: values.count, by: width) {
    var sum = 0.0
    for value in values[start..<start + width] {
      guard value >= -1e-4, value <= 1 + 1e-4 else {
        throw .notPredictions(
          model: model, row: start / width, problem: "a probability is \(value)")
      }
      sum += Double(value)
    }
    guard abs(sum - 1) <= 1e-2 else {
      throw .notPredictions(
        model: model, row: start / width, problem: "its probabilities add up to \(Float(sum))")
    }
  }
}
