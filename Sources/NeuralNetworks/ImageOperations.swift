// Small images, `[images, channels, height, width]`: the forward and backward loops of a convolutional network,
// spread over threads image by image. Sums over images are taken in a fixed order, whatever the number of threads.

import CKernels
import Tensors

extension Tensor {
  private var imageShape: (images: Int, channels: Int, height: Int, width: Int) {
    precondition(rank == 4, "images need four axes, not \(shape)")
    return (shape[0], shape[1], shape[2], shape[3])
  }

  /// Writes a tensor of `shape` one image at a time from this tensor's images.
  private func mapImages(
    to shape: [Int],
    _ body: @Sendable (_ image: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let images = self.shape[0]
    guard images > 0 else { return result }
    let (step, resultStep) = (count / images, result.count / images)
    nonisolated(unsafe) let source = pointer
    nonisolated(unsafe) let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      parallelFor(images) { body(source + $0 * step, target + $0 * resultStep) }
    }
    return result
  }
}

/// 3×3 convolution (correlation) with a border of zeros.
/// - Parameters:
///   - images: `[images, in, height, width]`.
///   - weights: `[out, in, 3, 3]`.
///   - bias: `[out]`.
/// - Returns: `[images, out, height, width]`.
public func convolve3x3(_ images: Tensor, weights: Tensor, bias: Tensor) -> Tensor {
  precondition(
    images.rank == 4 && weights.shape == [bias.count, images.shape[1], 3, 3],
    "images \(images.shape) and weights \(weights.shape), bias \(bias.shape)")
  let (inputs, outputs, height, width) = (images.shape[1], bias.count, images.shape[2], images.shape[3])
  nonisolated(unsafe) let (kernel, offset) = (weights.pointer, bias.pointer)
  return withExtendedLifetime((images.storage, weights.storage, bias.storage)) {
    var result = Tensor(uninitialized: [images.shape[0], outputs, height, width])
    nonisolated(unsafe) let source = images.pointer
    nonisolated(unsafe) let target = result.mutablePointer()
    let plane = height * width
    parallelFor(images.shape[0]) { image in
      ck_convolve3x3(
        source + image * inputs * plane, inputs, height, width, kernel, offset, outputs,
        target + image * outputs * plane)
    }
    return result
  }
}

/// The gradients of `convolve3x3` with respect to its three arguments.
/// - Parameter gradient: with respect to the result, `[images, out, height, width]`.
public func convolve3x3Gradients(
  _ images: Tensor, weights: Tensor, gradient: Tensor
) -> (images: Tensor, weights: Tensor, bias: Tensor) {
  let (count, inputs, outputs) = (images.shape[0], images.shape[1], weights.shape[0])
  let (height, width) = (images.shape[2], images.shape[3])
  precondition(
    gradient.shape == [count, outputs, height, width] && weights.shape == [outputs, inputs, 3, 3],
    "images \(images.shape), weights \(weights.shape), gradient \(gradient.shape)")
  let plane = height * width
  // Eight partial sums, added in order: the same bytes with any number of threads.
  let pieces = max(1, min(8, count))
  var partialWeights = Tensor(zeros: [pieces, weights.count])
  var partialBias = Tensor(zeros: [pieces, outputs])
  nonisolated(unsafe) let (source, upstream) = (images.pointer, gradient.pointer)
  nonisolated(unsafe) let weightSums = partialWeights.mutablePointer()
  nonisolated(unsafe) let biasSums = partialBias.mutablePointer()
  let weightCount = weights.count
  withExtendedLifetime((images.storage, gradient.storage)) {
    parallelFor(pieces) { piece in
      for image in (count * piece / pieces)..<(count * (piece + 1) / pieces) {
        ck_convolve3x3_gradient(
          source + image * inputs * plane, inputs, height, width, upstream + image * outputs * plane, outputs,
          weightSums + piece * weightCount, biasSums + piece * outputs)
      }
    }
  }
  // The gradient of a correlation is the correlation with the kernels turned round and in and out exchanged.
  var turned = Tensor(uninitialized: [inputs, outputs, 3, 3])
  let kernel = weights.pointer
  let turnedKernel = turned.mutablePointer()
  withExtendedLifetime(weights.storage) {
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<9 {
          turnedKernel[(input * outputs + output) * 9 + 8 - tap] = kernel[(output * inputs + input) * 9 + tap]
        }
      }
    }
  }
  return (
    convolve3x3(gradient, weights: turned, bias: Tensor(zeros: [inputs])),
    partialWeights.sumOverFirstAxis().reshaped(weights.shape), partialBias.sumOverFirstAxis()
  )
}

extension Tensor {
  /// The sum of a matrix's rows, added in order: `[rows, columns]` → `[columns]`.
  public func sumOverFirstAxis() -> Tensor {
    precondition(rank == 2, "a matrix is needed, not shape \(shape)")
    var result = Tensor(zeros: [shape[1]])
    let sums = result.mutablePointer()
    withExtendedLifetime(storage) {
      for row in 0..<shape[0] {
        ck_blend(sums, pointer + row * shape[1], shape[1], 1, 1, 0, sums)
      }
    }
    return result
  }

  /// The largest of every 2×2 block: `[n, c, h, w]` → `[n, c, h/2, w/2]`.
  /// - Precondition: `h` and `w` are even.
  public func maxPooled2x2() -> Tensor {
    let (images, channels, height, width) = imageShape
    precondition(height % 2 == 0 && width % 2 == 0, "pooling by two needs even sides, not \(shape)")
    return mapImages(to: [images, channels, height / 2, width / 2]) { image, result in
      // Channels of even height lie below each other like one tall image.
      ck_max_pool2(image, channels * height, width, result)
    }
  }

  /// The gradient of `maxPooled2x2` at this input: each block's gradient goes to its first largest element.
  public func maxPooled2x2Gradient(pooled: Tensor, gradient: Tensor) -> Tensor {
    let (_, channels, height, width) = imageShape
    precondition(pooled.shape == gradient.shape && pooled.count * 4 == count, "\(pooled.shape) from \(shape)")
    nonisolated(unsafe) let (source, largest, upstream) = (pointer, pooled.pointer, gradient.pointer)
    return withExtendedLifetime((pooled.storage, gradient.storage, storage)) {
      var result = Tensor(uninitialized: shape)
      nonisolated(unsafe) let target = result.mutablePointer()
      let step = channels * height * width
      parallelFor(shape[0]) { image in
        ck_max_pool2_gradient(
          source + image * step, largest + image * step / 4, upstream + image * step / 4, channels * height,
          width, target + image * step)
      }
      return result
    }
  }

  /// Every element twice along both axes: `[n, c, h, w]` → `[n, c, 2h, 2w]`.
  public func upsampled2x2() -> Tensor {
    let (images, channels, height, width) = imageShape
    return mapImages(to: [images, channels, 2 * height, 2 * width]) { image, result in
      ck_upsample2(image, channels * height, width, result)
    }
  }

  /// The gradient of `upsampled2x2` from the gradient of its result: sums of 2×2 blocks.
  public func upsampled2x2Gradient() -> Tensor {
    let (images, channels, height, width) = imageShape
    return mapImages(to: [images, channels, height / 2, width / 2]) { gradient, result in
      ck_upsample2_gradient(gradient, channels * height / 2, width / 2, result)
    }
  }

  /// For every channel, the sums over images and pixels of this tensor and of its products with `other`.
  public func channelSums(with other: Tensor) -> (sums: [Double], products: [Double]) {
    let (images, channels, height, width) = imageShape
    precondition(other.shape == shape, "\(other.shape) beside \(shape)")
    var totals = [Double](repeating: 0, count: 2 * channels)
    nonisolated(unsafe) let (left, right) = (pointer, other.pointer)
    let plane = height * width
    withExtendedLifetime((storage, other.storage)) {
      totals.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        nonisolated(unsafe) let target = base
        parallelFor(channels) { channel in
          for image in 0..<images {
            let start = (image * channels + channel) * plane
            ck_sum_and_dot(left + start, right + start, plane, target + 2 * channel)
          }
        }
      }
    }
    return ((0..<channels).map { totals[2 * $0] }, (0..<channels).map { totals[2 * $0 + 1] })
  }

  /// `scale[c]·x + shift[c]` for every channel c.
  public func scaledAndShifted(scale: [Float], shift: [Float]) -> Tensor {
    let (_, channels, height, width) = imageShape
    precondition(scale.count == channels && shift.count == channels, "\(scale.count) scales for \(shape)")
    return mapImages(to: shape) { image, result in
      for channel in 0..<channels {
        let start = channel * height * width
        ck_scale_shift(image + start, height * width, scale[channel], shift[channel], result + start)
      }
    }
  }

  /// `a[c]·x + b[c]·other + c[c]` for every channel c.
  public func blended(_ a: [Float], with other: Tensor, _ b: [Float], plus c: [Float]) -> Tensor {
    let (images, channels, height, width) = imageShape
    precondition(other.shape == shape && a.count == channels && b.count == channels && c.count == channels)
    nonisolated(unsafe) let (left, right) = (pointer, other.pointer)
    return withExtendedLifetime((storage, other.storage)) {
      var result = Tensor(uninitialized: shape)
      nonisolated(unsafe) let target = result.mutablePointer()
      let plane = height * width
      parallelFor(images) { image in
        for channel in 0..<channels {
          let start = (image * channels + channel) * plane
          ck_blend(left + start, right + start, plane, a[channel], b[channel], c[channel], target + start)
        }
      }
      return result
    }
  }
}
