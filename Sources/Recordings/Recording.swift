// A finished recording, read: provenance and prompts at once, head outputs when they are asked for.

import CHDF5
import CHDF5System
import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A recording of head outputs on disk, open for reading.
///
/// Head outputs are `result = z·W_O` of each head, without the output bias: what the head itself adds to the residual
/// stream (O'Neill & Bui 2024, section 3).
public final class Recording: @unchecked Sendable {
  /// The path that was opened.
  public let path: String
  /// What was recorded, and from what.
  public let description: RecordingDescription
  /// The prompts in order, with tokens, labels and pairs.
  public let examples: [RecordedExample]
  /// The longest prompt, in tokens.
  public let tokenWidth: Int
  /// Which part of a recording it is; nil for a whole one.
  public let part: RecordedPart?
  /// The parts that it joins, where its head outputs lie in other files.
  let joined: [JoinedRecording]?
  let file: HDF5File
  /// The shape of one example's head outputs.
  let exampleShape: [Int]
  /// SHA-256 of the file, where its seal was checked or it has just been sealed.
  private let sealedDigest: String?

  /// Opens a finished recording and checks it: the bytes where this program sealed them, else everything but the head
  /// outputs.
  /// - Complexity: reads a sealed file once from end to end.
  /// - Throws: `RecordingError.unfinished` for a partial one, `malformed` for a damaged one and any other kind of file.
  public convenience init(path: String) throws(RecordingError) {
    try self.init(path: path, sealedAs: nil)
  }

  /// Opens a recording, without reading it through again where it has just been sealed.
  init(path: String, sealedAs digest: String?) throws(RecordingError) {
    self.path = path
    guard access(path, R_OK) == 0 else {
      let reason = lastSystemError()
      if access(path + ".partial", F_OK) == 0, let (recorded, count) = Self.progress(of: path + ".partial") {
        throw .unfinished(path: path, recorded: recorded, examples: count)
      }
      throw .unreadable(path: path, reason: reason)
    }
    if let digest { sealedDigest = digest } else { sealedDigest = try RecordingSeal.check(path) }
    let (file, contents) = try HDF5.perform { () throws(RecordingError) in
      let file = try HDF5File(path: path, access: .reading)
      do throws(RecordingError) {
        return (file, try RecordingContents(file))
      } catch {
        file.close()
        throw error
      }
    }
    if let joined = contents.joined {
      do throws(RecordingError) {
        guard sealedDigest != nil else {
          throw .malformed(path: path, problem: "it joins other files and has no seal; merge them again")
        }
        if digest == nil { try JoinedRecording.check(joined, of: path) }
      } catch {
        _ = try HDF5.perform { () throws(RecordingError) in file.close() }
        throw error
      }
    }
    guard contents.isComplete, !contents.isRecorded.contains(false) else {
      _ = try HDF5.perform { () throws(RecordingError) in file.close() }
      throw .unfinished(
        path: path, recorded: contents.isRecorded.count { $0 }, examples: contents.examples.count)
    }
    self.file = file
    description = contents.description
    examples = contents.examples
    tokenWidth = contents.tokenWidth
    part = contents.part
    joined = contents.joined
    exampleShape = Array(contents.headOutputShape.dropFirst())
  }

  deinit { _ = try? HDF5.perform { () throws(RecordingError) in file.close() } }

  /// The head outputs of a range of examples.
  ///
  /// - Returns: `[examples, layers, heads, d_model]`; `[examples, T, layers, heads, d_model]`, zero past each prompt's
  ///   length, where each position was kept.
  /// - Throws: `malformed` where the file is damaged there, `notFinite` where it holds NaN or an infinity.
  public func headOutputs(examples range: Range<Int>) throws(RecordingError) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= examples.count,
      "examples \(range) of a recording of \(examples.count)")
    var outputs = Tensor(uninitialized: [range.count] + exampleShape)
    try outputs.withMutableValues { (values) throws(RecordingError) in
      try values.withUnsafeMutableBufferPointer { (buffer) throws(RecordingError) in
        let target = UnsafeMutableRawPointer(buffer.baseAddress)
        try HDF5.perform { () throws(RecordingError) in
          if let joined {
            try JoinedRecording.read(joined, of: path, rows: range, shape: exampleShape, into: target)
          } else {
            try file.read("head_outputs", rows: range, .float32, into: target)
          }
        }
      }
    }
    if let index = outputs.firstNotFinite() {
      throw .notFinite(path: path, example: range.lowerBound + index / exampleShape.reduce(1, *))
    }
    return outputs
  }

  /// SHA-256 of the file's bytes, 64 hexadecimal digits: what an autoencoder remembers of where it came from.
  public func sha256() throws(RecordingError) -> String {
    if let sealedDigest { return sealedDigest }
    do {
      return try Files.sha256(ofFileAt: path)
    } catch {
      throw .unreadable(path: path, reason: "\(error)")
    }
  }

  /// Whether this program wrote the file, and nobody has changed it since.
  var isSealed: Bool { sealedDigest != nil }

  private static func progress(of partialPath: String) -> (recorded: Int, examples: Int)? {
    try? HDF5.perform { () throws(RecordingError) in
      let file = try HDF5File(path: partialPath, access: .peeking)
      defer { file.close() }
      let contents = try RecordingContents(file)
      return (contents.isRecorded.count { $0 }, contents.examples.count)
    }
  }
}

extension Recording {
  /// Which examples are positive, in order.
  public var labels: [Bool] { examples.map(\.isPositive) }

  /// The pairs of a positive and a negative example, by index, each once, in order of the positive.
  public var pairs: [ExamplePair] {
    var seen: Set<ExamplePair> = []
    for (index, example) in examples.enumerated() {
      guard let other = example.pair else { continue }
      seen.insert(
        example.isPositive
          ? ExamplePair(positive: index, negative: other) : ExamplePair(positive: other, negative: index))
    }
    return seen.sorted { ($0.positive, $0.negative) < ($1.positive, $1.negative) }
  }
}

/// Two examples that differ in the behaviour alone, by index.
public struct ExamplePair: Hashable, Codable, Sendable {
  /// The example that calls for the behaviour.
  public var positive: Int
  /// Its counterpart that does not.
  public var negative: Int

  /// A pair of examples.
  public init(positive: Int, negative: Int) {
    self.positive = positive
    self.negative = negative
  }
}

extension Recording {
  /// Whether the file at `path` is HDF5 at all; nothing else is said about it.
  public static func isHDF5(at path: String) -> Bool {
    let found = try? HDF5.perform { () throws(RecordingError) in H5Fis_hdf5(path) > 0 }
    return found ?? false
  }
}
