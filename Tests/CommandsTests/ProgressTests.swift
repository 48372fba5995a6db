// The progress line: what it says, and how it fits.

import Testing

@testable import Commands

@Suite struct ProgressTests {
  @Test func saysHowMuchHowFastAndHowLong() {
    let line = ProgressMeter.line("recording", 250, of: 500, "prompts", elapsed: 5, columns: 100)
    #expect(line == "recording  ██████████░░░░░░░░░░  250 of 500 prompts  50/s  5 s left")
    let slow = ProgressMeter.line("fitting", 1, of: 11, "folds", elapsed: 30, columns: 100)
    #expect(slow.hasSuffix("1 of 11 folds  30 s each  5 min 00 s left"))
    let whole = ProgressMeter.line(
      "training", 8, of: 8, "steps", more: "loss 0.120", elapsed: 4, columns: 100)
    #expect(whole == "training  ████████████████████  8 of 8 steps  2/s  loss 0.120")
  }

  @Test func narrowTerminalsDoWithoutTheBar() {
    let line = ProgressMeter.line("recording", 250, of: 500, "prompts", elapsed: 5, columns: 50)
    #expect(line == "recording  250 of 500 prompts  50/s  5 s left")
  }

  @Test func nothingDoneYetHasNoRate() {
    #expect(
      ProgressMeter.line("recording", 0, of: 0, "prompts", elapsed: 0, columns: 100)
        == "recording  ░░░░░░░░░░░░░░░░░░░░  0 of 0 prompts")
  }

  @Test(arguments: [(0.2, "1 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (4360, "1 h 12 min")])
  func durations(seconds: Double, text: String) {
    #expect(ProgressMeter.duration(seconds) == text)
  }
}
