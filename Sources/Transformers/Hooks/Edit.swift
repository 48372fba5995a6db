// Changes to values while a model runs.

import Tensors

/// A change to the value at a hook point, made before anything after it is computed.
///
/// An edit is a function of the whole value (see `BlockPoint` for shapes; places past a prompt's end hold zeros and
/// what is written there is ignored). The ready-made ones work on the whole value or on one head. In a run with
/// gradients, an edit's adjoint says how the gradient of the edited value becomes that of the value before.
public struct Edit: Sendable {
  private let body: @Sendable (inout Tensor, TokenBatch) -> Void
  private let adjoint: @Sendable (inout Tensor, TokenBatch) -> Void

  /// An edit that does what `body` does.
  ///
  /// - Parameter adjoint: turns the gradient of the edited value into that of the value before; left alone where
  ///   nothing is given, which is right where `body` adds something that does not depend on the value.
  public init(
    _ body: @escaping @Sendable (inout Tensor, TokenBatch) -> Void,
    adjoint: @escaping @Sendable (inout Tensor, TokenBatch) -> Void = { _, _ in }
  ) {
    self.body = body
    self.adjoint = adjoint
  }

  /// Turns the gradient of the edited value into that of the value before.
  public func pullBack(_ gradient: inout Tensor, of batch: TokenBatch) {
    let shape = gradient.shape
    adjoint(&gradient, batch)
    precondition(gradient.shape == shape, "an edit's adjoint changed shape \(shape) to \(gradient.shape)")
  }

  /// Leaves the value as it is and lets no gradient through.
  public static var stoppingGradient: Edit {
    Edit { _, _ in
    } adjoint: { gradient, _ in
      gradient.setToZero()
    }
  }

  /// Changes `value`, which keeps its shape.
  public func apply(to value: inout Tensor, of batch: TokenBatch) {
    let shape = value.shape
    body(&value, batch)
    precondition(value.shape == shape, "an edit changed shape \(shape) to \(value.shape)")
  }

  /// Puts another value in the place of the whole one.
  public static func replacing(with replacement: Tensor) -> Edit {
    Edit { value, _ in
      value = replacement.reshaped(value.shape)
    } adjoint: { gradient, _ in
      gradient.setToZero()
    }
  }

  /// Sets everything to zero.
  public static var zeroing: Edit {
    Edit { value, _ in
      value.setToZero()
    } adjoint: { gradient, _ in
      gradient.setToZero()
    }
  }

  /// Adds a vector to the last axis everywhere, or a tensor of the value's own shape.
  public static func adding(_ addend: Tensor) -> Edit {
    Edit { value, _ in
      if addend.count == value.count { value.add(addend) } else { value.addToRows(addend) }
    }
  }

  /// Puts one vector in the place of a head's at every position; for queries, keys, values, z and result
  /// `[batch, position, head, width]`.
  ///
  /// With a head's mean over a data set this is mean ablation, with zeros zero ablation.
  public static func replacingHead(_ head: Int, with vector: Tensor) -> Edit {
    Edit { value, _ in
      write(vector, toHead: head, of: &value)
    } adjoint: { gradient, _ in
      write(nil, toHead: head, of: &gradient)
    }
  }

  /// Sets a head's vector to zero at every position; for `[batch, position, head, width]`.
  public static func zeroingHead(_ head: Int) -> Edit {
    Edit { value, _ in
      write(nil, toHead: head, of: &value)
    } adjoint: { gradient, _ in
      write(nil, toHead: head, of: &gradient)
    }
  }

  /// Puts another run's value of one head in the place of this run's; both `[batch, position, head, width]`.
  public static func patchingHead(_ head: Int, from donor: Tensor) -> Edit {
    Edit { value, _ in
      let (heads, width) = headShape(value, head)
      precondition(donor.shape == value.shape, "patching from shape \(donor.shape) into \(value.shape)")
      value.withMutableValues { span in
        donor.withValues { source in
          for start in stride(from: head * width, to: span.count, by: heads * width) {
            for column in 0..<width { span[start + column] = source[start + column] }
          }
        }
      }
    } adjoint: { gradient, _ in
      write(nil, toHead: head, of: &gradient)
    }
  }

  /// One edit after the other.
  public func followed(by next: Edit) -> Edit {
    Edit { value, batch in
      self.apply(to: &value, of: batch)
      next.apply(to: &value, of: batch)
    } adjoint: { gradient, batch in
      next.pullBack(&gradient, of: batch)
      self.pullBack(&gradient, of: batch)
    }
  }
}

/// Writes a vector, or zeros, to one head at every position.
private func write(_ vector: Tensor?, toHead head: Int, of value: inout Tensor) {
  let (heads, width) = headShape(value, head)
  precondition(
    vector.map { $0.count == width } ?? true,
    "a vector of shape \(vector?.shape ?? []) for heads of width \(width)")
  let source = vector?.values ?? [Float](repeating: 0, count: width)
  value.withMutableValues { span in
    for start in stride(from: head * width, to: span.count, by: heads * width) {
      for column in 0..<width { span[start + column] = source[column] }
    }
  }
}

private func headShape(_ value: Tensor, _ head: Int) -> (heads: Int, width: Int) {
  precondition(
    value.rank == 4 && head >= 0 && head < value.shape[2], "head \(head) of a value of shape \(value.shape)")
  return (value.shape[2], value.shape[3])
}
