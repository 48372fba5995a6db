// Attention for training: forward with the pattern kept, and backward, one (sequence, head) pair after the other.
//
// Training is split over threads by sequences, so nothing here starts a thread.

import CKernels

/// The heads of one attention layer whose queries, keys and values lie side by side in the rows of one matrix.
public struct JointHeads: Sendable, Equatable {
  /// Heads.
  public var count: Int
  /// Width of a head's queries, keys and values.
  public var width: Int
  /// Factor on the products of queries and keys.
  public var scale: Float
  /// Whether a position sees only itself and earlier ones.
  public var isCausal: Bool

  /// Heads of one layer.
  public init(count: Int, width: Int, scale: Float, isCausal: Bool = true) {
    self.count = count
    self.width = width
    self.scale = scale
    self.isCausal = isCausal
  }

  var total: Int { count * width }

  /// How many weights the patterns of these sequences have.
  public func patternCount(_ sequences: [Range<Int>]) -> Int {
    sequences.reduce(0) { $0 + count * $1.count * $1.count }
  }

  /// The window of one head's queries (part 0), keys (1) or values (2) in the joint matrix.
  fileprivate func window(_ part: Int, head: Int, _ sequence: Range<Int>) -> MatrixWindow {
    MatrixWindow(
      offset: sequence.lowerBound * 3 * total + part * total + head * width, rows: sequence.count,
      columns: width, rowStride: 3 * total)
  }

  /// The window of one head's mix of values.
  fileprivate func mixWindow(head: Int, _ sequence: Range<Int>) -> MatrixWindow {
    MatrixWindow(
      offset: sequence.lowerBound * total + head * width, rows: sequence.count, columns: width,
      rowStride: total)
  }

  fileprivate func visible(from query: Int, length: Int) -> Int { isCausal ? query + 1 : length }
}

/// Every head's mix of values (z), with the patterns kept.
///
/// - Parameters:
///   - joint: `[rows, 3 · heads · d_head]`: all queries, all keys, all values.
///   - sequences: the rows of each sequence.
///   - z: `[rows, heads · d_head]`.
///   - pattern: for each sequence, then each head, `[query, key]`; `heads.patternCount(sequences)` weights.
public func attention(
  _ joint: Tensor, _ heads: JointHeads, sequences: [Range<Int>], into z: inout Tensor,
  keeping pattern: inout Tensor
) {
  check(joint, heads, sequences, z, pattern)
  let (mix, weights) = (z.mutablePointer(), pattern.mutablePointer())
  let base = joint.pointer
  withExtendedLifetime(joint.storage) {
    var offset = 0
    for sequence in sequences {
      let length = sequence.count
      for head in 0..<heads.count {
        let square = MatrixWindow(rows: length, columns: length)
        gemm(
          GemmOperand(pointer: base, window: heads.window(0, head: head, sequence)),
          GemmOperand(pointer: base, window: heads.window(1, head: head, sequence).transpose),
          GemmTarget(pointer: weights + offset, window: square), scale: heads.scale, accumulating: false,
          threads: 1)
        for query in 0..<length {
          let row = weights + offset + query * length
          let seen = heads.visible(from: query, length: length)
          ck_softmax(row, seen)
          (row + seen).update(repeating: 0, count: length - seen)
        }
        gemm(
          GemmOperand(pointer: UnsafePointer(weights + offset), window: square),
          GemmOperand(pointer: base, window: heads.window(2, head: head, sequence)),
          GemmTarget(pointer: mix, window: heads.mixWindow(head: head, sequence)), scale: 1,
          accumulating: false, threads: 1)
        offset += length * length
      }
    }
  }
}

/// The backward half of `attention`: writes the gradient of the joint matrix.
///
/// With pattern P, dP = dz·Vᵀ and dS = softmax's gradient of dP: dV = Pᵀ·dz, dQ = scale·dS·K, dK = scale·dSᵀ·Q.
public func attentionBackward(
  _ joint: Tensor, _ heads: JointHeads, sequences: [Range<Int>], pattern: Tensor, dz: Tensor,
  into gradient: inout Tensor
) {
  check(joint, heads, sequences, dz, pattern)
  precondition(gradient.count >= (sequences.last?.upperBound ?? 0) * 3 * heads.total, "\(gradient.shape)")
  let target = gradient.mutablePointer()
  let (base, up) = (joint.pointer, dz.pointer)
  let longest = sequences.map(\.count).max() ?? 0
  withExtendedLifetime((joint.storage, dz.storage, pattern.storage)) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, longest * longest)) { scratch in
      guard let scores = scratch.baseAddress else { return }
      var weights = pattern.pointer
      for sequence in sequences {
        let length = sequence.count
        let square = MatrixWindow(rows: length, columns: length)
        for head in 0..<heads.count {
          let windows = (0..<3).map { heads.window($0, head: head, sequence) }
          let mixed = GemmOperand(pointer: up, window: heads.mixWindow(head: head, sequence))
          let kept = GemmOperand(pointer: weights, window: square)
          gemm(
            mixed, GemmOperand(pointer: base, window: windows[2].transpose),
            GemmTarget(pointer: scores, window: square), scale: 1, accumulating: false, threads: 1)
          gemm(
            kept.transpose, mixed, GemmTarget(pointer: target, window: windows[2]), scale: 1,
            accumulating: false, threads: 1)
          for query in 0..<length {
            let seen = heads.visible(from: query, length: length)
            ck_softmax_row_backward(weights + query * length, scores + query * length, seen)
            (scores + query * length + seen).update(repeating: 0, count: length - seen)
          }
          let slopes = GemmOperand(pointer: UnsafePointer(scores), window: square)
          gemm(
            slopes, GemmOperand(pointer: base, window: windows[1]),
            GemmTarget(pointer: target, window: windows[0]), scale: heads.scale, accumulating: false,
            threads: 1)
          gemm(
            slopes.transpose, GemmOperand(pointer: base, window: windows[0]),
            GemmTarget(pointer: target, window: windows[1]), scale: heads.scale, accumulating: false,
            threads: 1)
          weights += length * length
        }
      }
    }
  }
}

extension GemmOperand {
  fileprivate var transpose: GemmOperand { GemmOperand(pointer: pointer, window: window.transpose) }
}

private func check(
  _ joint: Tensor, _ heads: JointHeads, _ sequences: [Range<Int>], _ z: Tensor, _ pattern: Tensor
) {
  let rows = sequences.map(\.upperBound).max() ?? 0
  precondition(
    joint.count >= rows * 3 * heads.total && z.count >= rows * heads.total
      && pattern.count >= heads.patternCount(sequences),
    "\(heads.count) heads of \(heads.width) over \(joint.shape), \(rows) rows")
}
