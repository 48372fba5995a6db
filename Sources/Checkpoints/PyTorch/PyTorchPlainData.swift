// What else a PyTorch file says beside its tensors: texts, numbers, lists and dictionaries, read as data.

import Files

/// The plain data that a file written by `torch.save` holds: dictionaries with texts as keys become objects, lists and
/// tuples arrays. Tensors, and whatever has no form in JSON, become null; `SafetensorsFile(pyTorchPath:)` has the tensors.
///
/// - Throws: `FileError` where it cannot be opened, `CheckpointError.malformed` where it is damaged, compressed, or its
///   pickle asks for anything that a state dictionary does not need.
public func plainData(ofPyTorchFileAt path: String) throws -> JSONValue {
  let map = try MappedFile(path: path)
  do {
    return try withExtendedLifetime(map) { plain(try PyTorchCheckpoints.pickle(map.bytes).value) }
  } catch let problem as ZipArchive.Problem {
    throw CheckpointError.malformed(path: path, problem: problem.text)
  } catch let problem as PickleReader.Problem {
    throw CheckpointError.malformed(path: path, problem: problem.text)
  }
}

private func plain(_ value: PickleValue) -> JSONValue {
  switch value {
  case .none, .global, .storage, .tensor: .null
  case .boolean(let value): .boolean(value)
  case .integer(let value): .integer(value)
  case .number(let value): .number(value)
  case .text(let text): .string(text)
  case .tuple(let parts), .list(let parts): .array(parts.map(plain))
  case .dictionary(let entries):
    .object(
      entries.compactMap { entry in
        if case .text(let key) = entry.key { JSONMember(key, plain(entry.value)) } else { nil }
      })
  }
}
