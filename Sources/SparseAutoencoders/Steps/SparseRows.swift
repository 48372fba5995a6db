// Activations of many samples, of which few are above zero: for each sample its active features and their values.

import CKernels
import Tensors

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

  /// The share of entries that are active.
  var density: Double { Double(counts.reduce(0) { $0 + Int($1) }) / Double(max(rows * capacity, 1)) }

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

  /// The features that some row shows.
  var active: [Int32] {
    var isActive = [Bool](repeating: false, count: capacity)
    for row in 0..<rows {
      for entry in row * capacity..<row * capacity + Int(counts[row]) { isActive[Int(places[entry])] = true }
    }
    return isActive.indices.filter { isActive[$0] }.map { Int32($0) }
  }

  /// Keeps what is positive in `samples·encoderᵀ + bias`, block by block of rows, each with the features that may be
  /// active there.
  ///
  /// - Parameters:
  ///   - features: for each block of `blockRows` rows the features to encode.
  ///   - bias: one a feature.
  /// - Returns: for each block the largest entry of each of its features, positive or not.
  mutating func encode(
    _ samples: Tensor, encoder: Tensor, bias: [Float], blockRows: Int, features: [[Int32]]
  ) -> [[Float]] {
    let (rows, capacity, width) = (rows, capacity, samples.shape[1])
    let (x, e) = (ConstFloatAddress(samples.pointer), ConstFloatAddress(encoder.pointer))
    let values = FloatAddress(self.values.mutablePointer())
    return withExtendedLifetime((samples.storage, encoder.storage)) {
      places.withUnsafeMutableBufferPointer { places in
        counts.withUnsafeMutableBufferPointer { counts in
          guard let p = places.baseAddress, let c = counts.baseAddress else { return [] }
          let (places, counts) = (IndexAddress(p), IndexAddress(c))
          return parallelMap(features.count) { block in
            let chosen = features[block]
            let start = block * blockRows
            let height = min(blockRows, rows - start)
            var largest = [Float](repeating: -.infinity, count: chosen.count)
            withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, height * chosen.count)) { pre in
              guard let products = pre.baseAddress else { return }
              ck_chosen_products(
                x.address + start * width, height, width, e.address, chosen, chosen.count, products)
              ck_compress_rows(
                products, chosen.map { bias[Int($0)] }, chosen, chosen.count, capacity, 0, height,
                values.address + start * capacity, places.address + start * capacity,
                counts.address + start, &largest)
            }
            return largest
          }
        }
      }
    }
  }

  /// Keeps the largest entries of each row.
  mutating func keepLargest(_ keep: Int) {
    let values = self.values.mutablePointer()
    ck_keep_largest(keep, capacity, 0, rows, values, &places, &counts)
  }

  /// The rows that show any feature.
  var shownRows: [Int32] { (0..<Int32(rows)).filter { counts[Int($0)] > 0 } }

  /// Reconstruction of some rows, its gradients (`scale` times the residual) and each entry's slope.
  /// - Returns: the squared length of these rows' residuals.
  mutating func decode(
    _ samples: Tensor, rows chosen: [Int32], bias: Tensor, directions: Tensor, scale: Float, penalty: Float,
    gradients: inout Tensor
  ) -> Double {
    let (capacity, width) = (capacity, samples.shape[1])
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
        return parallelMap((chosen.count + piece - 1) / piece) { index in
          ck_sparse_decode(
            x.address, b.address, d.address, width, capacity, chosen, index * piece,
            min(chosen.count, (index + 1) * piece), v.address, p.address, c.address, scale, penalty,
            g.address, s.address)
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// Gradients of encoder and directions for live features, from the rows that were decoded.
  /// - Returns: the sums over these rows of the residual gradients, and of the samples themselves.
  func addGradients(
    _ samples: Tensor, _ residualGradients: Tensor, rows chosen: [Int32], live: [Int32],
    encoder: inout Tensor, directions: inout Tensor
  ) -> (gradients: [Float], samples: [Float]) {
    let (capacity, width) = (capacity, samples.shape[1])
    let (x, g) = (ConstFloatAddress(samples.pointer), ConstFloatAddress(residualGradients.pointer))
    let (v, s) = (ConstFloatAddress(values.pointer), ConstFloatAddress(slopes.pointer))
    let (e, d) = (FloatAddress(encoder.mutablePointer()), FloatAddress(directions.mutablePointer()))
    var gradientSums = Tensor(zeros: [width])
    var sampleSums = Tensor(zeros: [width])
    let (sum, sampleSum) = (
      FloatAddress(gradientSums.mutablePointer()), FloatAddress(sampleSums.mutablePointer())
    )
    places.withUnsafeBufferPointer { places in
      counts.withUnsafeBufferPointer { counts in
        let (p, c) = (ConstIndexAddress(places), ConstIndexAddress(counts))
        columnBlocks(width) { block in
          ck_sparse_gradients(
            x.address, g.address, chosen, chosen.count, width, capacity, block.lowerBound, block.upperBound,
            v.address, s.address, p.address, c.address, live, live.count, e.address, d.address, sum.address,
            sampleSum.address)
        }
      }
    }
    return (gradientSums.values, sampleSums.values)
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
