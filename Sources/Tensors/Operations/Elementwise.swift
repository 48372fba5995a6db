// Sums, activations and other work on one element at a time, split over threads.

import CKernels

/// A nonlinearity of the hidden layer of a transformer's MLP.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// max(x, 0)
  case relu
  /// x·Φ(x), with the exact normal distribution (Hendrycks & Gimpel 2016).
  case gelu
  /// GELU's tanh approximation, as in GPT-2.
  case geluTanh = "gelu_new"
  /// x·logistic(x)
  case silu
}

/// Below this many elements, work is not split further.
private let elementGrain = 1 << 14

extension Tensor {
  /// Calls `body` with the address and length of parts of the elements, in parallel.
  private mutating func updateParts(
    grain: Int = elementGrain, _ body: @Sendable (UnsafeMutablePointer<Float>, Int, Range<Int>) -> Void
  ) {
    let base = FloatAddress(mutablePointer())
    parallelRanges(count, minimum: grain) { body(base.address + $0.lowerBound, $0.count, $0) }
  }

  /// Applies an activation to every element.
  public mutating func activate(_ activation: Activation) {
    switch activation {
    case .relu: updateParts { x, count, _ in ck_relu(x, count) }
    case .gelu: updateParts { x, count, _ in ck_gelu(x, count) }
    case .geluTanh: updateParts { x, count, _ in ck_gelu_tanh(x, count) }
    case .silu: updateParts { x, count, _ in ck_silu(x, count) }
    }
  }

  /// Replaces every x by cap·tanh(x / cap) (Gemma 2, section 2).
  public mutating func softCap(_ cap: Float) {
    updateParts { x, count, _ in ck_soft_cap(x, cap, count) }
  }

  /// Cuts every element to a range.
  public mutating func clamp(to range: ClosedRange<Float>) {
    updateParts { x, count, _ in
      for index in 0..<count { x[index] = min(max(x[index], range.lowerBound), range.upperBound) }
    }
  }

  /// Sets to zero what stands where `x` is cut by `clamp(to:)`: the adjoint of that.
  public mutating func multiplyByClampSlope(_ range: ClosedRange<Float>, at x: Tensor) {
    precondition(count == x.count, "slopes at \(x.shape) for \(shape)")
    let source = ConstFloatAddress(x.pointer)
    withExtendedLifetime(x.storage) {
      updateParts { slope, count, part in
        let x = source.address + part.lowerBound
        for index in 0..<count where !range.contains(x[index]) { slope[index] = 0 }
      }
    }
  }

  /// Multiplies every element by `factor`.
  public mutating func scale(by factor: Float) {
    updateParts { x, count, _ in ck_scale(x, factor, count) }
  }

  /// Adds another tensor of the same count, element by element.
  public mutating func add(_ other: Tensor) {
    precondition(count == other.count, "cannot add shape \(other.shape) to \(shape)")
    let addend = ConstFloatAddress(other.pointer)
    withExtendedLifetime(other.storage) {
      updateParts { x, count, range in ck_add(x, addend.address + range.lowerBound, count) }
    }
  }

  /// Multiplies by another tensor of the same count, element by element.
  public mutating func multiply(by other: Tensor) {
    precondition(count == other.count, "cannot multiply shape \(shape) by \(other.shape)")
    let factor = ConstFloatAddress(other.pointer)
    withExtendedLifetime(other.storage) {
      updateParts { x, count, range in ck_multiply(x, factor.address + range.lowerBound, count) }
    }
  }

  /// Adds a vector to every row of the last axis.
  /// - Precondition: `vector` is as long as the last axis.
  public mutating func addToRows(_ vector: Tensor) {
    let width = shape.last ?? 1
    precondition(vector.count == width, "cannot add shape \(vector.shape) to the rows of \(shape)")
    guard width > 0 else { return }
    let (base, addend) = (FloatAddress(mutablePointer()), ConstFloatAddress(vector.pointer))
    withExtendedLifetime(vector.storage) {
      parallelRanges(count / width, minimum: max(1, elementGrain / width)) { rows in
        for row in rows { ck_add(base.address + row * width, addend.address, width) }
      }
    }
  }

  /// Sets `width` columns of every row, from column `offset` on, to a vector.
  public mutating func fillRows(_ vector: Tensor, atColumn offset: Int = 0) {
    let (rowStride, width) = (shape.last ?? 1, vector.count)
    precondition(offset + width <= rowStride, "\(width) columns at \(offset) in rows of \(shape)")
    let (base, source) = (FloatAddress(mutablePointer()), ConstFloatAddress(vector.pointer))
    let rowCount = rowStride == 0 ? 0 : count / rowStride
    withExtendedLifetime(vector.storage) {
      parallelRanges(rowCount, minimum: max(1, elementGrain / max(width, 1))) { rows in
        for row in rows {
          (base.address + row * rowStride + offset).update(from: source.address, count: width)
        }
      }
    }
  }
}
