// A run that hands values to an observer and edits them on the way up, or their gradients on the way back.

import Tensors

/// What is read and edited, for one batch of prompts.
struct ValueReader: BlockRun {
  /// The way a run goes.
  enum Direction {
    /// Values, in the order of computation.
    case up
    /// Gradients, in the reverse order; an edit's adjoint stands for the edit.
    case back
  }

  let batch: TokenBatch
  let direction: Direction
  let reading: Set<HookPoint>
  let edits: [HookPoint: Edit]
  /// The order of the last hook point that the run has to come to.
  var end: Int
  /// Places that a run treats as read though nobody asked.
  var alsoConcerns: Set<HookPoint> = []
  let observer: (HookPoint, borrowing Tensor) throws -> Void

  init(
    _ batch: TokenBatch, _ direction: Direction, reading: Set<HookPoint>, edits: [HookPoint: Edit],
    until end: Int? = nil, observer: @escaping (HookPoint, borrowing Tensor) throws -> Void
  ) {
    self.batch = batch
    self.direction = direction
    self.reading = reading
    self.edits = edits
    self.observer = observer
    let orders = reading.map(\.order)
    self.end = end ?? (direction == .up ? orders.max() ?? -1 : orders.min() ?? .max)
  }

  func reaches(_ point: HookPoint) -> Bool {
    direction == .up ? end >= point.order : end <= point.order
  }

  func concerns(_ point: HookPoint) -> Bool {
    reading.contains(point) || edits[point] != nil || alsoConcerns.contains(point)
  }

  mutating func visit(_ point: HookPoint, _ rows: inout Tensor) throws {
    guard concerns(point) else { return }
    let shape = rows.shape
    var padded = batch.padded(rows)
    try visitPadded(point, &padded)
    if edits[point] != nil { rows = batch.packed(padded).reshaped(shape) }
  }

  mutating func visitPadded(_ point: HookPoint, _ value: inout Tensor) throws {
    switch direction {
    case .up:
      if let edit = edits[point] {
        edit.apply(to: &value, of: batch)
        // What was written past a prompt's end is ignored.
        if point.hasPositionRows { value = batch.padded(batch.packed(value)) }
      }
      if reading.contains(point) { try observer(point, value) }
    case .back:
      if reading.contains(point) { try observer(point, value) }
      edits[point]?.pullBack(&value, of: batch)
    }
  }
}

extension HookPoint {
  /// Whether values are `[batch, position, …]`; else they are `[batch, head, query, key]`.
  var hasPositionRows: Bool {
    if case .block(_, let place) = self { place != .scores && place != .pattern } else { true }
  }
}
