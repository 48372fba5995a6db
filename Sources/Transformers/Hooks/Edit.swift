// Changes to values while a model runs.

import Tensors

/// A change to the value at a hook point, made before anything after it is computed.
///
/// An edit is a function of the whole value (see `BlockPoint` for shapes; places past a prompt's end hold zeros and
/// what is written there is ignored). The ready-made ones work on the whole value or on one head.
public struct Edit: Sendable {
  private let body: @Sendable (inout Tensor, TokenBatch) -> Void

  /// An edit that does what `body` does.
  public init(_ body: @escaping @Sendable (inout Tensor, TokenBatch) -> Void) {
    self.body = body
  }

  /// Changes `value`, which keeps its shape.
  public func apply(to value: inout Tensor, of batch: TokenBatch) {
    let shape = value.shape
    body(&value, batch)
    precondition(value.shape == shape, "an edit changed shape \(shape) to \(value.shape)")
  }

  /// Puts another value in the place of the whole one.
  public static func replacing(with replacement: Tensor) -> Edit {
    Edit { value, _ in value = replacement.reshaped(value.shape) }
  }

  /// Sets everything to zero.
  public static var zeroing: Edit {
    Edit { value, _ in value = Tensor(zeros: value.shape) }
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
      let (heads, width) = headShape(value, head)
      precondition(vector.count == width, "a vector of shape \(vector.shape) for heads of width \(width)")
      let source = vector.values
      value.withMutableValues { span in
        for start in stride(from: head * width, to: span.count, by: heads * width) {
          for column in 0..<width { span[start + column] = source[column] }
        }
      }
    }
  }

  /// Sets a head's vector to zero at every position; for `[batch, position, head, width]`.
  public static func zeroingHead(_ head: Int) -> Edit {
    Edit { value, batch in
      let (_, width) = headShape(value, head)
      Edit.replacingHead(head, with: Tensor(zeros: [width])).apply(to: &value, of: batch)
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
    }
  }

  /// One edit after the other.
  public func followed(by next: Edit) -> Edit {
    Edit { value, batch in
      self.apply(to: &value, of: batch)
      next.apply(to: &value, of: batch)
    }
  }
}

private func headShape(_ value: Tensor, _ head: Int) -> (heads: Int, width: Int) {
  precondition(
    value.rank == 4 && head >= 0 && head < value.shape[2], "head \(head) of a value of shape \(value.shape)")
  return (value.shape[2], value.shape[3])
}
