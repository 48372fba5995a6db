// A model folder's weights: one safetensors file, or several named by an index.

import Files

/// All tensors of a model folder, in one file or in shards.
public struct SafetensorsCheckpoint: Sendable {
  /// The folder.
  public let folder: String
  /// The files, in the order of their names.
  public let files: [SafetensorsFile]
  private let fileByTensor: [String: SafetensorsFile]

  /// Opens `model.safetensors` of a folder, or the files that `model.safetensors.index.json` names; where neither is
  /// there, PyTorch's `pytorch_model.bin`, its index, or the folder's only `.pth` or `.pt`.
  /// - Throws: `FileError` where a file is missing, `CheckpointError` where one is not sound.
  public init(folder: String) throws {
    self.folder = folder
    let indexPath = Self.indexPath(folder)
    guard fileExists(at: indexPath) else {
      let file = try Self.open(PyTorchCheckpoints.onlyFile(in: folder) ?? folder + "/model.safetensors")
      files = [file]
      fileByTensor = file.entries.mapValues { _ in file }
      return
    }
    let names = try Self.shards(indexPath: indexPath)
    let opened = try Set(names.values).sorted().map { try Self.open(folder + "/" + $0) }
    let byPath = Dictionary(uniqueKeysWithValues: opened.map { ($0.path, $0) })
    var byTensor: [String: SafetensorsFile] = [:]
    for (tensor, shard) in names {
      guard let file = byPath[folder + "/" + shard] else { continue }
      guard file.entries[tensor] != nil else {
        throw CheckpointError.missing(path: file.path, tensor: tensor)
      }
      byTensor[tensor] = file
    }
    files = opened
    fileByTensor = byTensor
  }

  /// The names of all tensors, sorted.
  public var names: [String] { fileByTensor.keys.sorted() }

  /// Whether there is a tensor of this name.
  public func contains(_ name: String) -> Bool { fileByTensor[name] != nil }

  /// The file that holds a tensor.
  /// - Throws: `CheckpointError.missing`.
  public func file(holding name: String) throws(CheckpointError) -> SafetensorsFile {
    guard let file = fileByTensor[name] else {
      throw .missing(path: files.first?.path ?? folder, tensor: name)
    }
    return file
  }

  private static func indexPath(_ folder: String) -> String {
    let pyTorch = folder + "/pytorch_model.bin.index.json"
    let hasSafetensors = ["/model.safetensors", "/model.safetensors.index.json"].contains {
      fileExists(at: folder + $0)
    }
    return !hasSafetensors && fileExists(at: pyTorch) ? pyTorch : folder + "/model.safetensors.index.json"
  }

  private static func open(_ path: String) throws -> SafetensorsFile {
    path.hasSuffix(".safetensors") ? try SafetensorsFile(path: path) : try SafetensorsFile(pyTorchPath: path)
  }

  private static func shards(indexPath: String) throws -> [String: String] {
    let text = try readText(at: indexPath)
    guard let json = try? JSONValue(parsing: text), let members = json["weight_map"]?.members else {
      throw CheckpointError.malformed(path: indexPath, problem: "it has no object 'weight_map'")
    }
    var names: [String: String] = [:]
    for member in members {
      guard let shard = member.value.text, !shard.contains("/"), shard != ".." else {
        throw CheckpointError.malformed(
          path: indexPath, problem: "'\(member.key)' does not name a file of the same folder")
      }
      names[member.key] = shard
    }
    return names
  }
}
