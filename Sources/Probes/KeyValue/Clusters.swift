// Middles of groups of rows, found without labels.

import Tensors

/// Centres by k-means: k-means++ for the start (Arthur & Vassilvitskii 2007), then Lloyd's steps until none changes.
///
/// - Returns: `[centre, width]`; fewer than `count` where there are fewer different rows.
func kMeansCentres(
  _ rows: DoubleMatrix, count: Int, steps: Int = 30, _ generator: inout SeededGenerator
) -> DoubleMatrix {
  let width = rows.columns
  guard rows.rows > 0, count > 0 else { return DoubleMatrix(rows: 0, columns: width) }
  var centres = Array(rows.row(generator.index(below: rows.rows)))
  var nearest = [Double](repeating: .infinity, count: rows.rows)
  while centres.count < count * width {
    var total = 0.0
    for row in 0..<rows.rows {
      nearest[row] = min(nearest[row], squaredDistance(rows, row, centres, centres.count / width - 1))
      total += nearest[row]
    }
    guard total > 0 else { break }
    var left = generator.uniform() * total
    var chosen = rows.rows - 1
    for row in 0..<rows.rows {
      left -= nearest[row]
      if left < 0 {
        chosen = row
        break
      }
    }
    guard nearest[chosen] > 0 else { break }
    centres += rows.row(chosen)
  }
  var found = DoubleMatrix(centres, rows: centres.count / width, columns: width)
  var last: [Int] = []
  for _ in 0..<steps {
    let owners = nearestCentres(rows, found)
    if owners == last { break }
    last = owners
    var sums = [Double](repeating: 0, count: found.values.count)
    var counts = [Int](repeating: 0, count: found.rows)
    for (row, owner) in owners.enumerated() {
      counts[owner] += 1
      for column in 0..<width { sums[owner * width + column] += rows.values[row * width + column] }
    }
    for centre in 0..<found.rows where counts[centre] > 0 {
      for column in 0..<width {
        found.values[centre * width + column] = sums[centre * width + column] / Double(counts[centre])
      }
    }
  }
  return found
}

/// The nearest centre of each row; of equal ones the first.
func nearestCentres(_ rows: DoubleMatrix, _ centres: DoubleMatrix) -> [Int] {
  (0..<rows.rows).map { row in
    var best = (centre: 0, distance: Double.infinity)
    for centre in 0..<centres.rows {
      let distance = squaredDistance(rows, row, centres.values, centre)
      if distance < best.distance { best = (centre, distance) }
    }
    return best.centre
  }
}

private func squaredDistance(_ rows: DoubleMatrix, _ row: Int, _ centres: [Double], _ centre: Int) -> Double {
  let width = rows.columns
  let (first, second) = (row * width, centre * width)
  var sum = 0.0
  for column in 0..<width {
    let distance = rows.values[first + column] - centres[second + column]
    sum += distance * distance
  }
  return sum
}
