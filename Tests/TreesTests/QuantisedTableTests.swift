// A quantised table gives the trees that the table itself gives, by one process or by several.

import Checkpoints
import Files
import Foundation
import Synchronization
import Tables
import Tensors
import TestSupport
import Testing

@testable import Trees

@Suite struct QuantisedTableTests {
  /// Numbers with missing cells, a category with rare ones, and a target of two classes or a quantity.
  private static func text(rows: Int, classes: Bool) -> String {
    var generator = SeededGenerator(seed: 4)
    var lines = ["a,b,c,d,y"]
    for row in 0..<rows {
      let (a, b) = (generator.uniform(), generator.uniform())
      let kind = row % 500 == 3 ? "odd\(row)" : ["p", "q", "r", "s"][generator.index(below: 4)]
      let score = 3 * a - b + (kind == "p" ? 1 : 0) + generator.uniform()
      let cells = [
        row % 11 == 0 ? "" : String(format: "%.4f", a), String(format: "%.3f", b), kind, "\(row % 5)",
        classes ? (score > 1.8 ? "yes" : "no") : String(format: "%.4f", score),
      ]
      lines.append(cells.joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func withFiles(
    rows: Int, classes: Bool, sample: Int = 1 << 20, _ body: (Table, QuantisedTable, String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try writeFile(text(rows: rows, classes: classes), to: folder + "/t.csv")
      var options = QuantisingOptions()
      options.sampleSize = sample
      options.runSize = 700
      _ = try QuantisedTable.quantise(
        folder + "/t.csv", target: "y", options: TableOptions(), options, to: folder + "/t.safetensors")
      try body(
        Table(readingFrom: folder + "/t.csv", target: "y"), QuantisedTable(path: folder + "/t.safetensors"),
        folder)
    }
  }

  @Test(arguments: [true, false]) func treesAreThoseOfTheTable(classes: Bool) throws {
    try Self.withFiles(rows: 4000, classes: classes) { table, quantised, _ in
      var options = BoostingOptions()
      options.rounds = 20
      let whole = try TreeEnsemble.boosted(
        table.features, target: table.target, targetName: "y", options: options)
      let fitted = try TreeEnsemble.boosted(quantised, options: options, holding: 0)
      #expect(fitted.ensemble.trees == whole.trees && fitted.ensemble.baseScores == whole.baseScores)
      #expect(fitted.ensemble.outputNames == whole.outputNames)
      #expect(fitted.fittedRows == 4000 && fitted.heldRows == 0 && fitted.heldTargets.isEmpty)
      #expect(
        quantised.sample.target == table.target && quantised.sample.features.kinds == table.features.kinds)
      let cells = (quantised.sample.features.values, table.features.values)
      #expect(cells.0.map(\.bitPattern) == cells.1.map(\.bitPattern))
    }
  }

  @Test func heldOutRowsWeighNothingAndArePredicted() throws {
    try Self.withFiles(rows: 4000, classes: true) { table, quantised, _ in
      var options = BoostingOptions()
      options.rounds = 10
      let fitted = try TreeEnsemble.boosted(quantised, options: options, holding: 0.25)
      let split = quantised.sampleSplit(holding: 0.25, seed: options.seed)
      #expect(fitted.heldRows == split.held.count && fitted.fittedRows == split.training.count)
      #expect((800..<1200).contains(fitted.heldRows))
      let held = table.features.selecting(rows: split.held)
      let predicted = try fitted.ensemble.predict(held)
      #expect(zip(predicted.values, fitted.heldOutputs.values).allSatisfy { abs($0 - $1) < 1e-6 })
      guard case .classes(let labels, _) = table.target else { return }
      #expect(fitted.heldTargets.map { Int($0) } == split.held.map { labels[$0] })
      // Fitted to the training rows alone, apart from cuts that are found over all rows.
      let base = fitted.ensemble.baseScores[0]
      let share = Double(split.training.count { labels[$0] == 1 }) / Double(split.training.count)
      #expect(abs(base - log(share / (1 - share))) < 1e-9)
      // Rows of the same cells are on the same side.
      let sides = Dictionary(grouping: 0..<table.rowCount, by: { table.duplicateGroups[$0] })
      let isHeld = Set(split.held)
      #expect(sides.values.allSatisfy { Set($0.map(isHeld.contains)).count == 1 })
    }
  }

  /// Threads that add up what each knows, as ranks of an MPI program do.
  private final class Meeting: Sendable {
    private struct State {
      var sums: [Double] = []
      var arrived = 0
      var left = 0
    }
    private let state = Mutex(State())
    private let condition = NSCondition()
    let size: Int

    init(size: Int) { self.size = size }

    func sum(_ values: [Double]) -> [Double] {
      condition.lock()
      defer { condition.unlock() }
      while state.withLock({ $0.left > 0 }) { condition.wait() }
      let isLast = state.withLock { state in
        state.sums = state.arrived == 0 ? values : zip(state.sums, values).map(+)
        state.arrived += 1
        if state.arrived == size { state.left = size }
        return state.arrived == size
      }
      if isLast { condition.broadcast() }
      while state.withLock({ $0.left == 0 }) { condition.wait() }
      let sums = state.withLock { state in
        state.left -= 1
        if state.left == 0 { state.arrived = 0 }
        return state.sums
      }
      condition.broadcast()
      return sums
    }
  }

  private struct Member: RowTeam {
    let rank: Int
    let meeting: Meeting
    var size: Int { meeting.size }
    func sum(_ values: [Double]) -> [Double] { meeting.sum(values) }
  }

  @Test(arguments: [2, 3]) func processesGrowTheTreesOfOne(count: Int) throws {
    try Self.withFiles(rows: 9000, classes: true, sample: 3000) { _, quantised, _ in
      var settings = BoostingOptions()
      settings.rounds = 8
      let options = settings
      let alone = try TreeEnsemble.boosted(quantised, options: options, holding: 0.2)
      let meeting = Meeting(size: count)
      let results = Mutex([Int: BoostedTable]())
      let threads = (0..<count).map { rank in
        let thread = Thread {
          let fitted = try? TreeEnsemble.boosted(
            quantised, options: options, holding: 0.2, team: Member(rank: rank, meeting: meeting))
          results.withLock { $0[rank] = fitted }
        }
        thread.start()
        return thread
      }
      while !threads.allSatisfy(\.isFinished) { Thread.sleep(forTimeInterval: 0.01) }
      for rank in 0..<count {
        let found = try #require(results.withLock { $0[rank] })
        #expect(found.ensemble == alone.ensemble)
        #expect(found.fittedRows == alone.fittedRows && found.heldRows == alone.heldRows)
        #expect(
          found.heldOutputs.values == alone.heldOutputs.values && found.heldTargets == alone.heldTargets)
      }
    }
  }

  @Test func tooFewRowsForSeveralProcesses() throws {
    try Self.withFiles(rows: 3000, classes: true) { _, quantised, _ in
      #expect(throws: TreeError.tooWideForParts) {
        try TreeEnsemble.boosted(
          quantised, options: BoostingOptions(), holding: 0.2,
          team: Member(rank: 0, meeting: Meeting(size: 2)))
      }
    }
  }

  @Test func changedFilesAreRefused() throws {
    try Self.withFiles(rows: 3000, classes: true) { _, quantised, folder in
      var bytes = try Data(contentsOf: URL(fileURLWithPath: quantised.path))
      bytes[bytes.count - 5] ^= 1
      try bytes.write(to: URL(fileURLWithPath: folder + "/changed.safetensors"))
      #expect(throws: CheckpointError.self) { try QuantisedTable(path: folder + "/changed.safetensors") }
      try bytes.prefix(bytes.count - 5).write(to: URL(fileURLWithPath: folder + "/short.safetensors"))
      #expect(throws: CheckpointError.self) { try QuantisedTable(path: folder + "/short.safetensors") }
    }
  }

  /// A file that another program made, without a digest: its codes are checked all the same.
  @Test func codesOfNoBinAreRefused() throws {
    try withTemporaryFolder { folder in
      let text =
        #"{"version":1,"target":"y","classes":["n","y"],"features":[{"name":"a","cuts":[0.5,1.5]}]}"#
      func write(_ codes: [UInt8], rows: [UInt8]? = nil) throws -> String {
        let name = (codes + (rows ?? [])).map { "\($0)" }.joined(separator: "-")
        let path = folder + "/\(name).safetensors"
        let header = JSONValue.object([
          JSONMember("__metadata__", .object([JSONMember("headlamp_table", .string(text))])),
          tensor("sample_rows", "I64", [2], 0..<16), tensor("sample_cells", "F32", [1, 2], 16..<24),
          tensor("target", "F32", [4], 24..<40), tensor("codes", "U8", [1, 4], 40..<44),
          tensor("row_codes", "U8", [4, 1], 44..<48),
        ]).line
        var bytes = Data(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) })
        bytes += Array(header.utf8)
        for row in [Int64(0), 2] { bytes += withUnsafeBytes(of: row.littleEndian) { Array($0) } }
        for value in [Float(0), 2, 0, 1, 0, 1] { bytes += withUnsafeBytes(of: value) { Array($0) } }
        bytes += codes
        bytes += rows ?? codes
        try bytes.write(to: URL(fileURLWithPath: path))
        return path
      }
      func tensor(_ name: String, _ type: String, _ shape: [Int], _ range: Range<Int>) -> JSONMember {
        JSONMember(
          name,
          .object([
            JSONMember("dtype", .string(type)), JSONMember("shape", .array(shape.map { .integer($0) })),
            JSONMember("data_offsets", .array([.integer(range.lowerBound), .integer(range.upperBound)])),
          ]))
      }
      let sound = try write([0, 1, 2, 3])
      #expect(QuantisedTable.isOne(sound))
      let opened = try QuantisedTable(path: sound)
      #expect(opened.rowCount == 4)
      for broken in [try write([0, 1, 2, 4]), try write([0, 1, 2, 3], rows: [0, 1, 2, 4])] {
        #expect(
          throws: TreeError.notAQuantisedTable(path: broken, problem: "a cell of 'a' is in bin 4 of 3")
        ) { try QuantisedTable(path: broken) }
      }
    }
  }
}
