// A recording in the making: a partial file that survives being killed, and becomes the recording at the end.
//
// The partial file (`NAME.partial`) has its final structure from the moment it appears: all datasets have their
// storage, and prompts, tokens, labels and pairs are filled in. Recording only writes head outputs into their place
// and then marks the examples as recorded. So a process killed at any moment leaves a file that opens, and whose
// marks are never ahead of its contents.

import CHDF5
import CHDF5System
import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes a recording batch by batch, in any order of examples, and goes on where an interrupted one stopped.
public final class RecordingWriter: @unchecked Sendable {
  /// The path the recording has once finished.
  public let path: String
  /// What is being recorded.
  public let description: RecordingDescription
  /// Which part of a recording it is; nil for a whole one.
  public let part: RecordedPart?
  /// The number of examples of the whole recording.
  public let exampleCount: Int
  /// The longest prompt, in tokens: `T`.
  public let tokenWidth: Int
  /// For each example whether its head outputs are on file already.
  public private(set) var isRecorded: [Bool]

  private let file: HDF5File
  private let partialPath: String
  /// Keeps other processes from the partial file, by its lock.
  private let lockDescriptor: Int32
  /// The shape of one example's head outputs: `[layers, heads, d_model]`, after `T` where each position is kept.
  private let exampleShape: [Int]

  /// The examples whose head outputs are still to be written, in order.
  public var missingExamples: [Int] { isRecorded.indices.filter { !isRecorded[$0] } }

  /// Starts a recording, or goes on with a partial one of exactly the same description and examples.
  ///
  /// - Parameter part: which part of a recording the examples are, where they are not the whole.
  /// - Throws: `RecordingError.differentPartial` where a partial recording of something else is in the way; `inUse` where
  ///   another process writes it; `unwritable` where the file cannot be made.
  /// - Precondition: labels and pairs agree with `RecordedExample`, and tokens fit into 32 bits.
  public init(
    path: String, description: RecordingDescription, examples: [RecordedExample], part: RecordedPart? = nil
  ) throws(RecordingError) {
    precondition(
      description.layers > 0 && description.heads > 0 && description.dModel > 0,
      "a recording of \(description.layers) × \(description.heads) heads of width \(description.dModel)")
    self.path = path
    self.description = description
    self.part = part
    exampleCount = examples.count
    let width = max(examples.map(\.tokens.count).max() ?? 0, part?.tokenWidth ?? 0)
    tokenWidth = width
    exampleShape =
      (description.position == .each ? [width] : []) + [
        description.layers, description.heads, description.dModel,
      ]
    let partialPath = path + ".partial"
    self.partialPath = partialPath
    let shape = exampleShape
    let descriptor = try Self.locked(partialPath, for: path) { () throws(RecordingError) in
      try HDF5.perform { () throws(RecordingError) in
        try Self.create(
          partialPath, for: path, description: description, examples: examples, part: part,
          tokenWidth: width, exampleShape: shape)
      }
    }
    lockDescriptor = descriptor
    do throws(RecordingError) {
      (file, isRecorded) = try HDF5.perform { () throws(RecordingError) in
        let file = try HDF5File(path: partialPath, access: .writing)
        do throws(RecordingError) {
          return (
            file, try Self.recordedMarks(of: file, description: description, examples: examples, part: part)
          )
        } catch {
          file.close()
          throw error
        }
      }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    _ = try? HDF5.perform { () throws(RecordingError) in file.close() }
    close(lockDescriptor)
  }

  /// Locks the partial file, after making it where there is none.
  private static func locked(
    _ partialPath: String, for path: String, _ make: () throws(RecordingError) -> Void
  ) throws(RecordingError) -> Int32 {
    while true {
      let descriptor = open(partialPath, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
      if descriptor < 0 {
        guard errno == ENOENT else { throw .unwritable(path: partialPath, reason: lastSystemError()) }
        try make()
        continue
      }
      do throws(FileError) {
        try lock(descriptor, path: path)
      } catch {
        close(descriptor)
        guard case .inUse(_, let process) = error else { throw .unwritable(path: path, reason: "\(error)") }
        throw .inUse(path: path, process: process)
      }
      // Another process may have finished the file between the two calls: its name is then gone.
      if FileIdentity(path: partialPath) == FileIdentity(descriptor) { return descriptor }
      close(descriptor)
    }
  }

  /// Whether an interrupted recording waits at `path` to be gone on with.
  public static func isUnfinished(_ path: String) -> Bool { access(path + ".partial", F_OK) == 0 }

  /// Refuses a path in whose folder nothing can be written, before any work is done.
  /// - Throws: `RecordingError.unwritable`.
  public static func requireWritableFolder(of path: String) throws(RecordingError) {
    let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard access(folder, W_OK | X_OK) == 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
  }

  /// Writes the head outputs of some examples and marks them as recorded.
  ///
  /// - Parameters:
  ///   - headOutputs: `[examples, layers, heads, d_model]`; where each position is kept,
  ///     `[examples, t, layers, heads, d_model]` with any `t` that holds the longest of these prompts, at most `T`.
  ///     What lies past a prompt's length must be zero.
  ///   - codes: the heads' codes `[examples, layers, heads, active]`, or with `t` where each position is kept; needed where
  ///     the description has codebooks.
  ///   - examples: the index of each row's example.
  /// - Throws: `notFinite` before anything is written; `cutShort`, after which the examples of earlier calls stay.
  public func write(
    headOutputs: Tensor, codes: Tensor? = nil, examples: [Int]
  ) throws(RecordingError) {
    let perPosition = description.position == .each
    precondition((codes == nil) == (description.codes == nil), "codes and codebooks go together")
    let rowCount = headOutputs.shape.first ?? 0
    let tail = Array(headOutputs.shape.dropFirst())
    precondition(
      rowCount == examples.count && examples.allSatisfy { $0 >= 0 && $0 < exampleCount }
        && (perPosition
          ? tail.dropFirst() == exampleShape.dropFirst() && (tail.first ?? 0) <= tokenWidth
          : tail == exampleShape),
      "head outputs \(headOutputs.shape) for \(examples.count) examples of shape \(exampleShape)")
    let given = tail.reduce(1, *)
    let width = exampleShape.reduce(1, *)
    if let index = headOutputs.firstNotFinite() {
      throw .notFinite(path: path, example: examples[index / given])
    }
    try headOutputs.withValues { (values) throws(RecordingError) in
      try Self.keepingWhatIsComplete { () throws(RecordingError) in
        try values.withUnsafeBufferPointer { (buffer) throws(RecordingError) in
          var padded = [Float](repeating: 0, count: given == width ? 0 : width)
          for (row, run) in consecutiveRuns(of: examples) {
            let source = UnsafeBufferPointer(rebasing: buffer[row * given..<(row + run.count) * given])
            if given == width {
              try file.write(source.baseAddress, rows: run, of: "head_outputs", .float32)
              continue
            }
            for (offset, example) in run.enumerated() {
              padded.replaceSubrange(0..<given, with: source[offset * given..<(offset + 1) * given])
              try file.write(padded, rows: example..<example + 1, of: "head_outputs", .float32)
            }
          }
        }
        if let codes, let books = description.codes {
          let rows = codes.reshaped([rowCount, codes.count / max(1, rowCount)])
          for (row, run) in consecutiveRuns(of: examples) {
            try books.write(
              rows.rows(row..<row + run.count), rows: run, shape: books.shape(ofOutputs: exampleShape),
              to: file)
          }
        }
        // The contents first, then the marks: a kill in between costs a batch, never the truth.
        try file.flush()
        for (_, run) in consecutiveRuns(of: examples) {
          try file.write([UInt8](repeating: 1, count: run.count), rows: run, of: "recorded", .uint8)
        }
        try file.flush()
      }
    }
    for example in examples { isRecorded[example] = true }
  }

  /// Calls `body` inside HDF5; a failure to write then says that earlier examples stay.
  private static func keepingWhatIsComplete(
    _ body: () throws(RecordingError) -> Void
  ) throws(RecordingError) {
    do throws(RecordingError) {
      try HDF5.perform(body)
    } catch .unwritable(let path, let reason) {
      throw .cutShort(path: path, reason: reason)
    }
  }

  /// Gives the complete recording its name.
  /// - Throws: `missingExamples` where some were never written; `unwritable`.
  /// - Returns: the recording, opened for reading.
  @discardableResult
  public func finish() throws(RecordingError) -> Recording {
    let missing = missingExamples.count
    guard missing == 0 else { throw .missingExamples(path: path, count: missing) }
    try HDF5.perform { () throws(RecordingError) in
      try file.writeAttribute("complete", true)
      try file.flush()
      guard file.close() else { throw .unwritable(path: partialPath, reason: HDF5.lastError()) }
    }
    let digest = try RecordingSeal.append(to: partialPath)
    try Self.synchronise(partialPath)
    guard SystemCalls.rename(partialPath, to: path) == 0,
      SystemCalls.synchroniseFolder(folderOfPath(path)) == 0
    else { throw .unwritable(path: path, reason: lastSystemError()) }
    // The file is the recording now, and free to be read.
    unlock(lockDescriptor)
    return try Recording(path: path, sealedAs: digest)
  }

  /// Makes the partial file, whole, under a temporary name; errors name the recording's own path. One that has appeared
  /// meanwhile stays.
  private static func create(
    _ partialPath: String, for path: String, description: RecordingDescription, examples: [RecordedExample],
    part: RecordedPart?, tokenWidth: Int, exampleShape: [Int]
  ) throws(RecordingError) {
    let newPath = unguessableName(in: folderOfPath(path))
    do throws(RecordingError) {
      let file = try HDF5File(path: newPath, access: .creating)
      defer { file.close() }
      try description.write(to: file)
      try file.writeAttribute("complete", false)
      try part?.write(to: file)
      try file.write(examples, tokenWidth: tokenWidth)
      try file.createDataset("recorded", chdf5_std_u8le(), shape: [examples.count])
      let exampleBytes = 4 * exampleShape.reduce(1, *)
      // HDF5 allows chunks below 4 GiB.
      let chunk = exampleBytes < 1 << 31 ? [1] + exampleShape : [1, 1] + exampleShape.dropFirst()
      try file.createDataset(
        "head_outputs", chdf5_ieee_f32le(), shape: [examples.count] + exampleShape, chunk: chunk)
      if let codes = description.codes {
        try file.createDataset(
          RecordedCodes.dataset, chdf5_std_i32le(),
          shape: [examples.count] + codes.shape(ofOutputs: exampleShape))
      }
      try file.flush()
      guard file.close() else { throw RecordingError.unwritable(path: newPath, reason: HDF5.lastError()) }
      try synchronise(newPath)
    } catch {
      unlink(newPath)
      guard case .unwritable(_, let reason) = error else { throw error }
      throw .unwritable(path: path, reason: reason)
    }
    defer { unlink(newPath) }
    if SystemCalls.link(newPath, as: partialPath) == 0 || errno == EEXIST { return }
    // File systems without hard links.
    guard [EPERM, EOPNOTSUPP, ENOSYS].contains(errno), SystemCalls.rename(newPath, to: partialPath) == 0
    else {
      throw .unwritable(path: path, reason: lastSystemError())
    }
  }

  /// Which examples a partial file holds, after checking that it is a partial recording of the same thing.
  private static func recordedMarks(
    of file: HDF5File, description: RecordingDescription, examples: [RecordedExample], part: RecordedPart?
  ) throws(RecordingError) -> [Bool] {
    let contents = try RecordingContents(file)
    if let difference = contents.description.difference(from: description) {
      throw .differentPartial(path: file.path, difference: difference)
    }
    if let difference = RecordedPart.difference(contents.part, part) {
      throw .differentPartial(path: file.path, difference: difference)
    }
    guard contents.examples == examples else {
      throw .differentPartial(path: file.path, difference: "its prompts are others")
    }
    return contents.isRecorded
  }

  /// Makes the bytes of a file durable.
  static func synchronise(_ path: String) throws(RecordingError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    defer { close(descriptor) }
    guard SystemCalls.synchronise(descriptor) == 0 else {
      throw .unwritable(path: path, reason: lastSystemError())
    }
  }
}

/// Splits indices into runs of consecutive ones, each with the place in `indices` where it starts.
private func consecutiveRuns(of indices: [Int]) -> [(start: Int, run: Range<Int>)] {
  var runs: [(start: Int, run: Range<Int>)] = []
  for (place, index) in indices.enumerated() {
    if let last = runs.last, last.run.upperBound == index {
      runs[runs.count - 1].run = last.run.lowerBound..<index + 1
    } else {
      runs.append((place, index..<index + 1))
    }
  }
  return runs
}
