// One line on the terminal: what is done, how much of it, how fast, and how long it will take.

import Files
import Synchronization

/// Draws progress on standard error, a few times a second, once work has taken a second.
final class ProgressMeter: Sendable {
  private struct State {
    var what = ""
    var begun = ContinuousClock.now
    var drawn: ContinuousClock.Instant?
    var isShown = false
  }

  private let state = Mutex(State())
  /// Work is shown from here on.
  private static let patience = Duration.seconds(1)
  private static let interval = Duration.milliseconds(120)

  func show(_ what: String) {
    draw(what) { _ in what }
  }

  func show(_ what: String, _ done: Int, of total: Int, _ unit: String, more: String) {
    draw(what) { elapsed in
      Self.line(
        what, done, of: total, unit, more: more, elapsed: elapsed,
        columns: StandardStream.error.columns ?? 80)
    }
  }

  func clear() {
    state.withLock { state in
      if state.isShown { try? StandardStream.error.write("\r\u{1b}[K") }
      state.isShown = false
    }
  }

  private func draw(_ what: String, line: (Double) -> String) {
    state.withLock { state in
      let now = ContinuousClock.now
      if state.what != what {
        state.what = what
        state.begun = now
        state.drawn = nil
      }
      let elapsed = now - state.begun
      guard elapsed >= Self.patience || state.isShown else { return }
      if let drawn = state.drawn, now - drawn < Self.interval { return }
      state.drawn = now
      state.isShown = true
      let columns = StandardStream.error.columns ?? 80
      let text = String(line(elapsed / .seconds(1)).prefix(max(1, columns - 1)))
      try? StandardStream.error.write("\r\u{1b}[K" + text)
    }
  }

  /// `recording  ████████░░░░  340 of 500 prompts  51/s  3 s left`, as much of it as fits.
  static func line(
    _ what: String, _ done: Int, of total: Int, _ unit: String, more: String = "", elapsed: Double,
    columns: Int
  ) -> String {
    let width = 20
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 0
    let full = Int((share * Double(width)).rounded(.down))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
    let rate = elapsed > 0 ? Double(done) / elapsed : 0
    var parts = [what, bar, "\(done) of \(total) \(unit)"]
    if rate > 0, done > 0 {
      parts.append(rate >= 1 ? "\(rate.text(significant: 2))/s" : "\((1 / rate).text(significant: 2)) s each")
      if done < total { parts.append(duration(Double(total - done) / rate) + " left") }
    }
    if !more.isEmpty { parts.append(more) }
    let line = parts.joined(separator: "  ")
    // Narrow terminals do without the bar.
    return line.count < columns ? line : parts.filter { $0 != bar }.joined(separator: "  ")
  }

  /// `8 s`, `2 min 05 s`, `1 h 12 min`.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(max(1, min(seconds, 1e7)).rounded())
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
    return "\(whole / 3600) h \(two(whole % 3600 / 60)) min"
  }
}
