// A model folder's weights: one safetensors file, or several named by an index.

import Files

/// All tensors of a model folder, in one file or in shards.
public struct SafetensorsCheckpoint: Sendable {
  /// The folder.
  public let folder: String
  /// The files, in the order of their names.
  public private(set) var files: [SafetensorsFile]
  private var fileByTensor: [String: SafetensorsFile]

  /// Opens `model.safetensors` of a folder, or the files that `model.safetensors.index.json` names; where neither is
  /// there, PyTorch's `pytorch_model.bin`, its index, or the folder's only `.pth` or `.pt`.
  /// - Throws: `FileError` where a file is missing, `CheckpointError` where one is not sound.
  public init(folder: String) throws {
    guard !folder.hasSuffix(".gguf") else {
      self = try GGUFModel(path: folder).checkpoint
      return
    }
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

  /// The tensors of one file.
  init(file: SafetensorsFile) {
    folder = file.path
    files = [file]
    fileByTensor = file.entries.mapValues { _ in file }
  }

  /// The same tensors under other names.
  public func renamed(_ name: (String) -> String) -> SafetensorsCheckpoint {
    var renamed: [String: SafetensorsFile] = [:]
    var result = self
    result.files = files.map { file in
      let names = Dictionary(uniqueKeysWithValues: file.entries.keys.map { ($0, name($0)) })
      let file = file.renamed(names)
      for tensor in names.values { renamed[tensor] = file }
      return file
    }
    result.fileByTensor = renamed
    return result
  }

  /// The names of all tensors, sorted.
  public var names: [String] { fileByTensor.keys.sorted() }

  /// The size of the blocks that share a factor, where 8-bit floats have factors: what config.json says, or 128 × 128.
  public var scaledBlock: (rows: Int, columns: Int) {
    let text = try? readText(at: folder + "/config.json")
    let options = text.flatMap { try? JSONValue(parsing: $0) }?["quantization_config"]
    let size = options?["weight_block_size"]?.elements?.compactMap(\.wholeNumber) ?? []
    return size.count == 2 && size.allSatisfy { $0 > 0 } ? (size[0], size[1]) : (128, 128)
  }

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
