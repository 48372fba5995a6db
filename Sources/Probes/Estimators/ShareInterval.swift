// How sure a share of held-out examples is.

/// The 95 % interval of a share by Wilson's score (1927).
///
/// Examples of one group do not count as so many: the number of examples is divided by the design effect that the groups
/// show, and is never taken for less than the number of groups or more than that of examples. Where all or no examples
/// are right, groups show nothing and are what counts.
func shareInterval(_ right: [Bool], groups: [Int]) -> ClosedRange<Double> {
  let count = Double(right.count)
  guard count > 0 else { return 0...1 }
  let share = Double(right.count { $0 }) / count
  var residuals: [Int: Double] = [:]
  for (isRight, group) in zip(right, groups) { residuals[group, default: 0] += (isRight ? 1 : 0) - share }
  let groupCount = Double(residuals.count)
  var effective = groupCount
  let squares = residuals.sorted { $0.key < $1.key }.reduce(0) { $0 + $1.value * $1.value }
  if share > 0, share < 1, groupCount > 1, squares > 0 {
    let variance = groupCount / (groupCount - 1) * squares / (count * count)
    effective = min(count, max(groupCount, share * (1 - share) / variance))
  }
  let z = 1.959963984540054
  let spread = z * z / effective
  let middle = (share + spread / 2) / (1 + spread)
  let half = z / (1 + spread) * (share * (1 - share) / effective + spread / (4 * effective)).squareRoot()
  return max(0, middle - half)...min(1, middle + half)
}
