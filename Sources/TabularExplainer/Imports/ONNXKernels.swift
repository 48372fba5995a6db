// The loops behind ONNX operations that take most of the time.

import NeuralNetworks
import Tensors

enum ONNXKernels {
  /// The product of two matrices: float32 where both are, else double precision.
  static func product(_ a: ONNXValue, _ b: ONNXValue) -> [Double] {
    let (rows, inner, columns) = (a.shape[0], a.shape[1], b.shape[1])
    guard rows > 0, inner > 0, columns > 0 else { return [Double](repeating: 0, count: rows * columns) }
    if a.type == .float, b.type == .float {
      return matrixProduct(a.tensor(a.shape), b.tensor(b.shape), transposingB: false).values.map(Double.init)
    }
    var result = [Double](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for place in 0..<inner {
        let factor = a.numbers[row * inner + place]
        for column in 0..<columns {
          result[row * columns + column] += factor * b.numbers[place * columns + column]
        }
      }
    }
    return result
  }

  /// A matrix with rows and columns exchanged.
  static func transposed(_ a: ONNXValue) -> ONNXValue {
    let (rows, columns) = (a.shape[0], a.shape[1])
    let places = (0..<columns).flatMap { column in (0..<rows).map { $0 * columns + column } }
    return a.gathering(places, shape: [columns, rows])
  }
}
