// PyTorch checkpoints (`.pth`, `.pt`, `.bin`): a zip of one pickle and raw numbers. The pickle is read as data, never
// run; the numbers are used where they lie.

import Files
import FoundationEssentials
import Tensors

extension SafetensorsFile {
  /// Maps a PyTorch checkpoint that holds a state dictionary of tensors, at its top or under `state_dict`,
  /// `model_state_dict` or `model`. Whatever else is in the dictionary is left alone.
  ///
  /// - Throws: `FileError` where it cannot be opened, `CheckpointError.malformed` where it is damaged, compressed, or its
  ///   pickle asks for anything that a state dictionary does not need; the message names it.
  public convenience init(pyTorchPath path: String) throws {
    let map = try MappedFile(path: path)
    do {
      self.init(map: map, entries: try PyTorchCheckpoints.entries(map.bytes))
    } catch let problem as ZipArchive.Problem {
      throw CheckpointError.malformed(path: path, problem: problem.text)
    } catch let problem as PickleReader.Problem {
      throw CheckpointError.malformed(path: path, problem: problem.text)
    }
  }
}

enum PyTorchCheckpoints {
  private static let wrappers: [PickleValue] = [
    .text("state_dict"), .text("model_state_dict"), .text("model"),
  ]

  /// The checkpoint of a folder that has no safetensors file; nil where there is none, or more than one.
  static func onlyFile(in folder: String) -> String? {
    guard !fileExists(at: folder + "/model.safetensors") else { return nil }
    let usual = folder + "/pytorch_model.bin"
    if fileExists(at: usual) { return usual }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let checkpoints = names.filter { $0.hasSuffix(".pth") || $0.hasSuffix(".pt") }
    return checkpoints.count == 1 ? folder + "/" + checkpoints[0] : nil
  }

  /// The one pickle of a checkpoint's bytes, and where in the archive it lies.
  static func pickle(
    _ bytes: UnsafeRawBufferPointer
  ) throws -> (value: PickleValue, archive: ZipArchive, root: Substring) {
    let archive = try ZipArchive(bytes)
    let suffix = "data.pkl"
    let pickles = archive.entries.filter { $0.key == suffix || $0.key.hasSuffix("/" + suffix) }
    guard let (name, range) = pickles.first, pickles.count == 1 else {
      throw ZipArchive.Problem(text: "it has no 'data.pkl', so it is no PyTorch checkpoint")
    }
    try archive.requireSound(name, in: bytes)
    let root = name.dropLast(suffix.count)
    if let order = archive.entries[root + "byteorder"], !bytes[order].elementsEqual("little".utf8) {
      throw ZipArchive.Problem(text: "its numbers are not little-endian")
    }
    return (try PickleReader.value(of: Array(bytes[range])[...]), archive, root)
  }

  /// The tensors of a checkpoint's bytes.
  static func entries(_ bytes: UnsafeRawBufferPointer) throws -> [String: SafetensorsEntry] {
    let (pickle, archive, root) = try pickle(bytes)
    var entries: [String: SafetensorsEntry] = [:]
    var checked: Set<String> = []
    for (name, tensor) in try stateDictionary(pickle) {
      let key = "\(root)data/\(tensor.key)"
      guard let data = archive.entries[key] else {
        throw ZipArchive.Problem(text: "the numbers of tensor '\(name)' are missing")
      }
      if checked.insert(key).inserted { try archive.requireSound(key, in: bytes) }
      entries[name] = try entry(tensor, named: name, data: data)
    }
    return entries
  }

  private static func stateDictionary(
    _ pickle: PickleValue
  ) throws(PickleReader.Problem) -> [(String, PickledTensor)] {
    guard case .dictionary(let top) = pickle else {
      throw PickleReader.Problem(text: "its pickle is no dictionary of tensors")
    }
    let own = tensors(top)
    if !own.isEmpty { return own }
    for wrapper in wrappers {
      if case .dictionary(let inner) = top.last(where: { $0.key == wrapper })?.value {
        let found = tensors(inner)
        if !found.isEmpty { return found }
      }
    }
    throw PickleReader.Problem(text: "its pickle holds no tensors")
  }

  private static func tensors(_ entries: [PickleValue.Entry]) -> [(String, PickledTensor)] {
    entries.compactMap { entry in
      guard case .text(let name) = entry.key, case .tensor(let tensor) = entry.value else { return nil }
      return (name, tensor)
    }
  }

  /// Where a tensor's elements lie, after checking that all of them are there.
  private static func entry(
    _ tensor: PickledTensor, named name: String, data: Range<Int>
  ) throws(ZipArchive.Problem) -> SafetensorsEntry {
    guard let size = SafetensorsHeader.elementSize(of: tensor.type) else {
      throw ZipArchive.Problem(text: "tensor '\(name)' has element type \(tensor.type)")
    }
    var count = 1
    var span = 1
    var isContiguous = true
    for (length, stride) in zip(tensor.shape, tensor.strides).reversed() {
      if length != 1, stride != count { isContiguous = false }
      let (product, tooMany) = count.multipliedReportingOverflow(by: length)
      let (reach, tooFar) = max(length - 1, 0).multipliedReportingOverflow(by: stride)
      let (end, overflow) = span.addingReportingOverflow(reach)
      guard !tooMany, !tooFar, !overflow else {
        throw ZipArchive.Problem(text: "tensor '\(name)' has an impossible shape \(tensor.shape)")
      }
      (count, span) = (product, end)
    }
    if count == 0 { (span, isContiguous) = (0, true) }
    let available = data.count / size
    guard tensor.offset >= 0, tensor.offset <= available, span <= available - tensor.offset,
      // Overlapping views could make a small file into an absurdly large tensor.
      count <= max(available, 1 << 16)
    else {
      throw ZipArchive.Problem(
        text:
          "tensor '\(name)' of shape \(tensor.shape) needs more numbers than the \(available) that are stored"
      )
    }
    let start = data.lowerBound + tensor.offset * size
    return SafetensorsEntry(
      type: tensor.type, shape: tensor.shape, byteRange: start..<start + span * size,
      strides: isContiguous ? nil : tensor.strides)
  }
}

extension Tensor {
  /// The elements of a strided view of this vector, in row-major order.
  func gathered(shape: [Int], strides: [Int]) -> Tensor {
    var result = Tensor(uninitialized: shape)
    let total = result.count
    guard total > 0 else { return result }
    let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      let source = pointer
      var index = [Int](repeating: 0, count: shape.count)
      var place = 0
      for flat in 0..<total {
        target[flat] = source[place]
        var axis = shape.count - 1
        while axis >= 0 {
          index[axis] += 1
          place += strides[axis]
          if index[axis] < shape[axis] { break }
          place -= strides[axis] * shape[axis]
          index[axis] = 0
          axis -= 1
        }
      }
    }
    return result
  }
}
