// What a run wants of a block, on the way up (values) or back (gradients).

import Tensors

/// A run as a block sees it: which values it wants, and what it does with them.
///
/// On the way up, values are handed over in the order of computation, and what comes after the last one wanted is left
/// out; on the way back the same holds for gradients, in the reverse order.
protocol BlockRun {
  /// Whether anything at or behind a place, in the run's direction, is wanted.
  func reaches(_ point: HookPoint) -> Bool
  /// Whether the value at a place must exist as such, because it is read or changed there.
  func concerns(_ point: HookPoint) -> Bool
  /// Takes, and perhaps changes, a value of packed rows `[rows, …]`.
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor) throws
  /// Takes, and perhaps changes, some heads' columns of packed rows.
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor, _ columns: HeadColumns) throws
  /// Takes, and perhaps changes, a value as people read it `[batch, …]`.
  mutating func visitPadded(_ point: HookPoint, _ value: inout Tensor) throws
}

extension BlockRun {
  /// Hands over some heads' columns of packed rows, as `[rows, heads, width]`.
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor, _ columns: HeadColumns) throws {
    guard concerns(point) else { return }
    var heads = gatherHeads(rows, columns)
    try visit(point, &heads)
    scatterHeads(heads, into: &rows, columns)
  }

  /// Hands over scores or patterns, as `[batch, head, query, key]`.
  mutating func visit(
    _ point: HookPoint, _ values: inout Tensor, _ squares: AttentionSquares, filling: Float
  ) throws {
    guard concerns(point) else { return }
    var padded = squares.padded(values, with: filling)
    try visitPadded(point, &padded)
    values = squares.packed(padded)
  }
}

/// A run that goes all the way and takes nothing.
struct PlainRun: BlockRun {
  func reaches(_ point: HookPoint) -> Bool { true }
  func concerns(_ point: HookPoint) -> Bool { false }
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor) {}
  mutating func visitPadded(_ point: HookPoint, _ value: inout Tensor) {}
}
