// Parts of a recording made one again: as a file that points at them, or as one that holds everything.

import CHDF5
import CHDF5System
import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// All parts of one recording, checked and in order.
public struct RecordingMerge {
  /// A part; its file is not kept open, as there may be thousands.
  private struct Part {
    var path: String
    var sha256: String
    var description: RecordingDescription
    var manifest: ShardManifest
    var examples: [RecordedExample]
    var tokenWidth: Int
    var exampleShape: [Int]

    /// Opens a part, and closes it again.
    init(path: String) throws {
      let recording = try Recording(path: path)
      guard let part = recording.part else {
        throw ShardError.notAShard(path: path, problem: "it is a whole recording")
      }
      guard recording.isSealed else {
        throw RecordingError.malformed(
          path: path, problem: "it has no seal, so another program has changed it; record it again")
      }
      self.path = path
      sha256 = try recording.sha256()
      description = recording.description
      manifest = part.manifest
      examples = zip(recording.examples, part.pairs).map { example, pair in
        var example = example
        example.pair = pair
        return example
      }
      tokenWidth = recording.tokenWidth
      exampleShape = recording.exampleShape
    }
  }

  private let parts: [Part]
  private let examples: [RecordedExample]

  /// Opens and checks parts, in any order.
  /// - Parameter progress: called with parts checked and all.
  /// - Throws: `ShardError` for what is no part, or foreign, or there twice, and where parts are missing;
  ///   `RecordingError` for a part that cannot be read, is damaged or has no seal.
  public init(_ paths: [String], progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws {
    var opened: [Part] = []
    for path in paths {
      opened.append(try Part(path: path))
      progress(opened.count, paths.count)
    }
    parts = try orderedShards(opened.map { ($0.path, $0.manifest) }).map { opened[$0] }
    for part in parts {
      let difference =
        part.description.difference(from: opened[0].description)
        ?? (part.tokenWidth == opened[0].tokenWidth ? nil : "its width in tokens is another")
      if let difference {
        throw ShardError.foreign(path: part.path, difference: difference, first: opened[0].path)
      }
    }
    examples = parts.flatMap(\.examples)
  }

  private var description: RecordingDescription { parts[0].description }

  /// How many examples the whole recording has.
  public var exampleCount: Int { examples.count }

  /// Writes a recording that points at the parts: `/head_outputs` is a virtual dataset over theirs, by their paths seen
  /// from its folder, and their digests are sealed in it. Everything else is its own.
  /// - Throws: `RecordingError.unwritable`.
  /// - Returns: the recording, opened for reading.
  @discardableResult
  public func link(to path: String) throws(RecordingError) -> Recording {
    try RecordingWriter.requireWritableFolder(of: path)
    guard let folder = Self.realPath(folderOfPath(path)) else {
      throw .unwritable(path: path, reason: lastSystemError())
    }
    var joined: [JoinedRecording] = []
    for part in parts {
      guard let real = Self.realPath(part.path) else {
        throw .unreadable(path: part.path, reason: lastSystemError())
      }
      guard real != folder + "/" + lastComponent(path) else {
        throw .unwritable(path: path, reason: "it is one of the parts; choose another output")
      }
      joined.append(
        JoinedRecording(
          name: relativePath(of: real, from: folder), sha256: part.sha256,
          examples: part.examples.count))
    }
    let newPath = unguessableName(in: folderOfPath(path))
    defer { unlink(newPath) }
    do throws(RecordingError) {
      try HDF5.perform { () throws(RecordingError) in
        let file = try HDF5File(path: newPath, access: .creating)
        defer { file.close() }
        try description.write(to: file)
        try file.writeAttribute("complete", true)
        try file.writeAttribute(JoinedRecording.attribute, JoinedRecording.text(joined))
        try file.write(examples, tokenWidth: parts[0].tokenWidth)
        try file.createVirtualDataset(
          "head_outputs", chdf5_ieee_f32le(), shape: [examples.count] + parts[0].exampleShape,
          over: joined.map { ($0.name, $0.examples) })
        try writeCodes(to: file)
        try file.flush()
        guard file.close() else { throw RecordingError.unwritable(path: newPath, reason: HDF5.lastError()) }
      }
      let digest = try RecordingSeal.append(to: newPath)
      try RecordingWriter.synchronise(newPath)
      guard SystemCalls.rename(newPath, to: path) == 0, SystemCalls.synchroniseFolder(folderOfPath(path)) == 0
      else { throw RecordingError.unwritable(path: path, reason: lastSystemError()) }
      return try Recording(path: path, sealedAs: digest)
    } catch .unwritable(_, let reason) {
      throw .unwritable(path: path, reason: reason)
    }
  }

  /// Copies all parts' codes, which are few beside the head outputs. Called inside `HDF5.perform`.
  private func writeCodes(to file: HDF5File) throws(RecordingError) {
    guard let codes = description.codes else { return }
    let shape = codes.shape(ofOutputs: parts[0].exampleShape)
    try file.createDataset(
      RecordedCodes.dataset, chdf5_std_i32le(), shape: [examples.count] + shape)
    var first = 0
    for part in parts {
      let source = try HDF5File(path: part.path, access: .reading)
      defer { source.close() }
      var numbers = [Int32](repeating: 0, count: part.examples.count * shape.reduce(1, *))
      try source.read(RecordedCodes.dataset, rows: 0..<part.examples.count, .int32, into: &numbers)
      try file.write(
        numbers, rows: first..<first + part.examples.count, of: RecordedCodes.dataset, .int32)
      first += part.examples.count
    }
  }

  /// Writes a recording that holds everything, as one run would have written it.
  ///
  /// Memory: about 64 MiB of head outputs at once. Interrupted, the same call goes on.
  /// - Parameter progress: called with examples copied and all.
  /// - Throws: `RecordingError`; what `progress` throws.
  @discardableResult
  public func copy(
    to path: String, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> Recording {
    try RecordingWriter.requireWritableFolder(of: path)
    if let identity = FileIdentity(path: path),
      parts.contains(where: { FileIdentity(path: $0.path) == identity })
    {
      throw RecordingError.unwritable(path: path, reason: "it is one of the parts; choose another output")
    }
    let writer = try RecordingWriter(path: path, description: description, examples: examples)
    var first = 0
    for part in parts {
      let recording = try Recording(path: part.path)
      guard try recording.sha256() == part.sha256 else {
        throw RecordingError.malformed(path: part.path, problem: "it was changed while it was copied")
      }
      let step = max(1, (16 << 20) / max(1, part.exampleShape.reduce(1, *)))
      for start in stride(from: 0, to: part.examples.count, by: step) {
        let rows = start..<min(start + step, part.examples.count)
        let places = rows.map { first + $0 }
        if places.contains(where: { !writer.isRecorded[$0] }) {
          try writer.write(
            headOutputs: recording.headOutputs(examples: rows), codes: recording.headCodes(examples: rows),
            examples: places)
        }
        try progress(first + rows.upperBound, examples.count)
      }
      first += part.examples.count
    }
    return try writer.finish()
  }

  private static func realPath(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }
}

private func lastComponent(_ path: String) -> String {
  path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// A path as it is seen from a folder; both absolute.
func relativePath(of path: String, from folder: String) -> String {
  let (own, base) = (path.split(separator: "/"), folder.split(separator: "/"))
  let shared = zip(own, base).prefix { $0 == $1 }.count
  return (base.dropFirst(shared).map { _ in ".." } + own.dropFirst(shared)).joined(separator: "/")
}
