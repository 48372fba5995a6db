// Activations of many samples, of which few are above zero: for each sample its active features and their values.

import CKernels

/// Sparse rows with room for `capacity` entries each, and for the loss's slope at each entry.
struct SparseRows: Sendable {
  let rows: Int
  let capacity: Int
  private var values: Tensor
  private var slopes: Tensor
  private var places: [Int32]
  private var counts: [Int32]

  init(rows: Int, capacity: Int) {
    self.rows = rows
    self.capacity = capacity
    values = Tensor(zeros: [rows, capacity])
    slopes = Tensor(zeros: [rows, capacity])
    places = [Int32](repeating: 0, count: rows * capacity)
    counts = [Int32](repeating: 0, count: rows)
  }

  /// The share of entries that are active, among `columns` features.
  func density(among columns: Int) -> Double {
    Double(counts.reduce(0) { $0 + Int($1) }) / Double(max(rows * columns, 1))
  }

  /// The sum of all values.
  var sum: Double { total(of: values).reduce(0) { $0 + Double($1) } }

  /// For each feature the sum of its slopes over samples.
  func slopeSums() -> [Float] { total(of: slopes) }

  private func total(of entries: Tensor) -> [Float] {
    var sums = [Float](repeating: 0, count: capacity)
    entries.withValues { entries in
      for row in 0..<rows {
        let start = row * capacity
        for entry in start..<start + Int(counts[row]) { sums[Int(places[entry])] += entries[entry] }
      }
    }
    return sums
  }

  /// Keeps what is positive in `pre + bias`, whose columns are the given features.
  /// - Returns: each column's largest entry, positive or not.
  mutating func compress(_ pre: Tensor, bias: [Float], features: [Int32]) -> [Float] {
    let columns = features.count
    guard columns > 0 else {
      counts = [Int32](repeating: 0, count: rows)
      return []
    }
    let (rows, capacity) = (rows, capacity)
    let pieces = max(1, min(Threads.count, rows / 64))
    let source = ConstFloatAddress(pre.pointer)
    let values = FloatAddress(self.values.mutablePointer())
    var largest = [Float](repeating: -.infinity, count: pieces * columns)
    largest.withUnsafeMutableBufferPointer { largest in
      places.withUnsafeMutableBufferPointer { places in
        counts.withUnsafeMutableBufferPointer { counts in
          guard let l = largest.baseAddress, let p = places.baseAddress, let c = counts.baseAddress else {
            return
          }
          let (largest, places, counts) = (FloatAddress(l), IndexAddress(p), IndexAddress(c))
          parallelFor(pieces) { piece in
            ck_compress_rows(
              source.address, bias, features, columns, capacity, rows * piece / pieces,
              rows * (piece + 1) / pieces, values.address, places.address, counts.address,
              largest.address + piece * columns)
          }
        }
      }
    }
    return (0..<columns).map { column in
      (0..<pieces).reduce(-Float.infinity) { max($0, largest[$1 * columns + column]) }
    }
  }

  /// Keeps the largest entries of each row.
  mutating func keepLargest(_ keep: Int) {
    let values = self.values.mutablePointer()
    ck_keep_largest(keep, capacity, 0, rows, values, &places, &counts)
  }

  /// Reconstruction, its gradients (`scale` times the residual) and each entry's slope.
  /// - Returns: the squared length of all residuals.
  mutating func decode(
    _ samples: Tensor, bias: Tensor, directions: Tensor, scale: Float, penalty: Float,
    gradients: inout Tensor
  ) -> Double {
    let (rows, capacity, width) = (rows, capacity, samples.shape[1])
    let (x, b, d) = (
      ConstFloatAddress(samples.pointer), ConstFloatAddress(bias.pointer),
      ConstFloatAddress(directions.pointer)
    )
    let v = ConstFloatAddress(values.pointer)
    let s = FloatAddress(slopes.mutablePointer())
    let g = FloatAddress(gradients.mutablePointer())
    // Pieces of fixed size, so that the sum is the same for any number of threads.
    let piece = 64
    let sums = places.withUnsafeBufferPointer { places in
      counts.withUnsafeBufferPointer { counts in
        let (p, c) = (ConstIndexAddress(places), ConstIndexAddress(counts))
        return parallelMap((rows + piece - 1) / piece) { index in
          ck_sparse_decode(
            x.address, b.address, d.address, width, capacity, index * piece, min(rows, (index + 1) * piece),
            v.address, p.address, c.address, scale, penalty, g.address, s.address)
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// Gradients of encoder and directions for live features.
  /// - Returns: the residual gradients' sum over samples.
  func addGradients(
    _ samples: Tensor, _ residualGradients: Tensor, live: [Int32], encoder: inout Tensor,
    directions: inout Tensor
  ) -> [Float] {
    let (rows, capacity, width) = (rows, capacity, samples.shape[1])
    let (x, g) = (ConstFloatAddress(samples.pointer), ConstFloatAddress(residualGradients.pointer))
    let (v, s) = (ConstFloatAddress(values.pointer), ConstFloatAddress(slopes.pointer))
    let (e, d) = (FloatAddress(encoder.mutablePointer()), FloatAddress(directions.mutablePointer()))
    var columns = Tensor(zeros: [width])
    let sum = FloatAddress(columns.mutablePointer())
    places.withUnsafeBufferPointer { places in
      counts.withUnsafeBufferPointer { counts in
        let (p, c) = (ConstIndexAddress(places), ConstIndexAddress(counts))
        columnBlocks(width) { block in
          ck_sparse_gradients(
            x.address, g.address, rows, width, capacity, block.lowerBound, block.upperBound, v.address,
            s.address, p.address, c.address, live, live.count, e.address, d.address, sum.address)
        }
      }
    }
    return columns.values
  }

  /// The values as a matrix `[rows, capacity]`.
  func dense() -> Tensor {
    var matrix = Tensor(zeros: [rows, capacity])
    matrix.withMutableValues { matrix in
      values.withValues { values in
        for row in 0..<rows {
          let start = row * capacity
          for entry in start..<start + Int(counts[row]) { matrix[start + Int(places[entry])] = values[entry] }
        }
      }
    }
    return matrix
  }

  /// Takes each entry's slope from a matrix `[rows, capacity]`, adds the penalty, and answers with the slopes as a
  /// matrix that is zero where nothing is active.
  mutating func slopes(_ gradients: Tensor, adding penalty: Float) -> Tensor {
    var matrix = Tensor(zeros: [rows, capacity])
    matrix.withMutableValues { matrix in
      gradients.withValues { gradients in
        slopes.withMutableValues { slopes in
          for row in 0..<rows {
            let start = row * capacity
            for entry in start..<start + Int(counts[row]) {
              let slope = gradients[start + Int(places[entry])] + penalty
              slopes[entry] = slope
              matrix[start + Int(places[entry])] = slope
            }
          }
        }
      }
    }
    return matrix
  }
}

/// Runs `body` over blocks of columns, in parallel, each some cache lines wide.
func columnBlocks(_ columns: Int, _ body: @Sendable (Range<Int>) -> Void) {
  // As few blocks as there are threads: a block goes over all samples.
  let blocks = max(1, min(Threads.count, columns / 16))
  let width = ((columns + blocks - 1) / blocks + 15) / 16 * 16
  parallelFor(blocks) { block in
    let start = min(columns, block * width)
    let end = min(columns, start + width)
    if start < end { body(start..<end) }
  }
}

/// Where indices are written.
struct IndexAddress: @unchecked Sendable {
  let address: UnsafeMutablePointer<Int32>
  init(_ address: UnsafeMutablePointer<Int32>) { self.address = address }
}

/// Where indices are read.
struct ConstIndexAddress: @unchecked Sendable {
  let address: UnsafePointer<Int32>?
  init(_ buffer: UnsafeBufferPointer<Int32>) { address = buffer.baseAddress }
}
