// What a run read.

import Tensors

/// The values that were asked for, by hook point; zeros past each prompt's end.
public struct Activations: Sendable {
  /// The values by hook point.
  public private(set) var values: [HookPoint: Tensor] = [:]

  /// The value at a hook point.
  /// - Precondition: the run was asked for it.
  public subscript(point: HookPoint) -> Tensor {
    guard let value = values[point] else { preconditionFailure("the run did not read \(point)") }
    return value
  }

  mutating func store(_ value: Tensor, at point: HookPoint) { values[point] = value }
}
