// A black box that is a known rule, for tests that need one with no surprises.

import Tables
import TabularExplainer
import Tensors

/// Says `inside` of rows in a box and `outside` of all others.
struct RuleBlackBox: BlackBox {
  var box: Box
  var outputNames: [String]
  var inside: [Float] = [0.05, 0.95]
  var outside: [Float] = [0.9, 0.1]

  init(_ example: ExampleTable) {
    box = example.rule
    outputNames = example.classNames
  }

  func predict(_ features: Features) throws -> Tensor {
    Tensor(
      (0..<features.rowCount).flatMap { row in box.holds { features[row, $0] } ? inside : outside },
      shape: [features.rowCount, 2])
  }
}
