// Minima of smooth functions by limited-memory BFGS (Nocedal 1980; Nocedal & Wright 2006, algorithm 7.5).

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A minimum that was found.
struct Minimum {
  var point: [Double]
  var value: Double
  /// The largest component of the gradient there.
  var slope: Double
}

/// Follows a function down from a point until no component of its gradient is larger than `tolerance`.
///
/// - Parameter evaluate: the value at a point, with its gradient written into the second argument.
func minimize(
  from start: [Double], tolerance: Double, iterations: Int = 1000, memory: Int = 10,
  _ evaluate: ([Double], inout [Double]) -> Double
) -> Minimum {
  var point = start
  var gradient = [Double](repeating: 0, count: start.count)
  var value = evaluate(point, &gradient)
  var history: [(step: [Double], change: [Double], product: Double)] = []
  for _ in 0..<iterations where largest(gradient) > tolerance {
    var direction = gradient.map { -$0 }
    // Two loops over the history stand for the inverse Hessian.
    var factors: [Double] = []
    for (step, change, product) in history.reversed() {
      let factor = inner(step, direction) / product
      factors.append(factor)
      add(change, times: -factor, to: &direction)
    }
    if let (step, change, _) = history.last {
      let scale = inner(step, change) / inner(change, change)
      for place in direction.indices { direction[place] *= scale }
    }
    for ((step, change, product), factor) in zip(history, factors.reversed()) {
      add(step, times: factor - inner(change, direction) / product, to: &direction)
    }
    var slope = inner(gradient, direction)
    if slope >= 0 {
      // Rounding has spoilt the history.
      history = []
      direction = gradient.map { -$0 }
      slope = -inner(gradient, gradient)
    }
    var length = history.isEmpty ? min(1, 1 / max(1e-12, largest(gradient))) : 1.0
    var (next, nextGradient) = (point, gradient)
    var nextValue = value
    var isFound = false
    // Backtracking until the value falls enough (Armijo's condition).
    for _ in 0..<40 {
      next = point
      add(direction, times: length, to: &next)
      nextValue = evaluate(next, &nextGradient)
      if nextValue <= value + 1e-4 * length * slope {
        isFound = true
        break
      }
      length /= 2
    }
    guard isFound else { break }
    let step = zip(next, point).map { $0 - $1 }
    let change = zip(nextGradient, gradient).map { $0 - $1 }
    let product = inner(step, change)
    if product > 1e-12 * inner(change, change).squareRoot() * inner(step, step).squareRoot() {
      history.append((step, change, product))
      if history.count > memory { history.removeFirst() }
    }
    (point, gradient, value) = (next, nextGradient, nextValue)
  }
  return Minimum(point: point, value: value, slope: largest(gradient))
}

private func largest(_ values: [Double]) -> Double { values.reduce(0) { max($0, abs($1)) } }

private func inner(_ left: [Double], _ right: [Double]) -> Double {
  var sum = 0.0
  for place in left.indices { sum += left[place] * right[place] }
  return sum
}

private func add(_ other: [Double], times factor: Double, to values: inout [Double]) {
  for place in values.indices { values[place] += factor * other[place] }
}
