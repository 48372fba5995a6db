// Programs that answer, and programs that hang, die, or answer badly.

import Files
import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct ProgramBlackBoxTests {
  static let features = Features(
    names: ["x", "colour, \"main\""], kinds: [.numeric, .categorical(["red", "a\"b"])], rowCount: 3,
    values: [0.25, .nan, 1, 0, 1, .nan])

  static func box(_ command: String, outputs: [String] = ["no", "yes"], timeout: Double = 20)
    -> ProgramBlackBox
  {
    ProgramBlackBox(command: command, outputNames: outputs, timeout: timeout)
  }

  @Test func rowsAreWrittenAsCSV() {
    let text = ProgramBlackBox.csv(Self.features, rows: 0..<3)
    #expect(text == "x,\"colour, \"\"main\"\"\"\n0.25,red\n,\"a\"\"b\"\n1,\n")
  }

  @Test func aProgramAnswers() throws {
    let script = "awk -F, 'NR > 1 { x = $1 == \"\" ? 0.5 : $1; print 1 - x \",\" x }'"
    #expect(try Self.box(script).predict(Self.features).values == [0.75, 0.25, 0.5, 0.5, 0, 1])
    // The second class's probability alone, and a header.
    let short = "awk -F, 'NR == 1 { print \"p\" } NR > 1 { print $1 == \"\" ? 0.5 : $1 }'"
    #expect(try Self.box(short).predict(Self.features).values == [0.75, 0.25, 0.5, 0.5, 0, 1])
    let swapped = "awk 'NR == 1 { print \"yes,no\" } NR > 1 { print \"0.9,0.1\" }'"
    #expect(try Self.box(swapped).predict(Self.features).row(0).values == [0.1, 0.9])
  }

  @Test func batchesAreAskedOneByOne() throws {
    var box = Self.box("awk 'NR > 1 { print NR == 2 ? 1 : 0 }'")
    box.batchSize = 2
    #expect(try box.predict(Self.features).values == [0, 1, 1, 0, 0, 1])
  }

  /// Neither side may wait for the other: more is written and answered at once than pipes hold.
  @Test func fullPipesDoNotBlock() throws {
    let many = Features(
      names: ["x"], kinds: [.numeric], rowCount: 100_000, values: [Float](repeating: 0.123456, count: 100_000)
    )
    var box = Self.box("awk 'NR > 1 { print 0.5; print \"note\" > \"/dev/stderr\" }'")
    box.batchSize = 100_000
    #expect(try box.predict(many).values.allSatisfy { $0 == 0.5 })
    // A program that reads nothing and answers at once.
    let deaf = "i=0; while [ $i -lt 3 ]; do echo 0.5; i=$((i+1)); done"
    let wide = Features(
      names: (0..<50_000).map { "x\($0)" }, kinds: .init(repeating: .numeric, count: 50_000), rowCount: 3,
      values: [Float](repeating: 1, count: 150_000))
    #expect(try Self.box(deaf).predict(wide).values.allSatisfy { $0 == 0.5 })
  }

  @Test func failuresSayWhatHappened() {
    func failure(_ command: String, outputs: [String] = ["no", "yes"], timeout: Double = 20) -> ProgramError?
    {
      do {
        _ = try Self.box(command, outputs: outputs, timeout: timeout).predict(Self.features)
        return nil
      } catch {
        return error as? ProgramError
      }
    }
    let hangs = "echo working >&2; sleep 60 & sleep 60"
    #expect(failure(hangs, timeout: 0.3) == .timedOut(command: hangs, seconds: 0.3, lastLine: "working"))
    let dies = "cat > /dev/null; echo one >&2; echo 'no weights' >&2; echo >&2; exit 3"
    #expect(failure(dies) == .failed(command: dies, code: 3, lastLine: "no weights"))
    let killed = "kill -9 $$"
    #expect(failure(killed) == .killed(command: killed, signal: 9, lastLine: ""))
    let few = "cat > /dev/null; echo 0.5; echo 0.5; echo tired >&2"
    #expect(failure(few) == .rowCount(command: few, expected: 3, found: 2, lastLine: "tired"))
    let headed = "cat > /dev/null; echo no,yes; echo 0.5,0.5; echo 0.5,0.5"
    #expect(failure(headed) == .rowCount(command: headed, expected: 3, found: 2, lastLine: ""))
    let text = "cat > /dev/null; echo 0.5; echo maybe; echo 0.5"
    #expect(failure(text) == .notANumber(command: text, line: 2, text: "maybe"))
    let sums = "cat > /dev/null; for i in 1 2 3; do echo 0.5,0.75; done"
    #expect(failure(sums) == .notProbabilities(command: sums, line: 1, sum: 1.25))
    let wide = "cat > /dev/null; for i in 1 2 3; do echo 0.5,0.25,0.25; done"
    #expect(failure(wide) == .columnCount(command: wide, line: 1, expected: 2, found: 3))
    let absent = "/no/such/program"
    guard case .failed(_, 127, let line)? = failure(absent) else {
      Issue.record("a program that is not there")
      return
    }
    #expect(line.contains("not found"))
  }

  @Test func tooMuchOutputIsCut() throws {
    let result = try runProgram(.words(["yes"]), input: [], timeout: 20, outputLimit: 1 << 20)
    #expect(result.ending == .wroteTooMuch)
    #expect(result.output.count < 3 << 20)
  }

  @Test func quantitiesNeedNotSumToOne() throws {
    let box = Self.box("awk 'NR > 1 { print NR * 100 }'", outputs: ["price"])
    #expect(try box.predict(Self.features).values == [200, 300, 400])
  }
}

@Suite struct ColumnBlackBoxTests {
  @Test func knownRowsOnly() throws {
    let features = ProgramBlackBoxTests.features
    let predictions = Tensor([0.1, 0.9, 0.2, 0.8, 0.3, 0.7] as [Float], shape: [3, 2])
    let box = ColumnBlackBox(features, predictions: predictions, outputNames: ["no", "yes"])
    #expect(
      try box.predict(features.selecting(rows: [2, 0, 1, 2])).values == [
        0.3, 0.7, 0.1, 0.9, 0.2, 0.8, 0.3, 0.7,
      ])
    var values = features.values
    values[0] = 0.26
    let changed = Features(names: features.names, kinds: features.kinds, rowCount: 3, values: values)
    #expect(throws: TabularExplainerError.unknownRow(row: 0)) { try box.predict(changed) }
  }
}
