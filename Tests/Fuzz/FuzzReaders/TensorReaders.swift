// Files of tensors: safetensors, PyTorch's zips, and their pickles.

import CausalMethods
import Checkpoints
import Files
import SparseAutoencoders
import TabularExplainer

let tensorReaders: [FuzzReader] = [
  FuzzReader(name: "safetensors") { bytes, scratch in
    try readTensors(SafetensorsFile(path: scratch.file("x.safetensors", bytes)))
  },
  FuzzReader(name: "autoencoder") { bytes, scratch in
    let path = try scratch.file("x.safetensors", bytes)
    _ = try? SparseDictionary(path: path)
    _ = try? NetworkBlackBox(path: path)
    _ = try TrainedAutoencoders(path: path)
  },
  FuzzReader(name: "pytorch") { bytes, scratch in
    let path = try scratch.file("x.pth", bytes)
    _ = try? plainData(ofPyTorchFileAt: path)
    _ = try? ScoredCircuit(path: scratch.file("x.pt", bytes))
    try readTensors(SafetensorsFile(pyTorchPath: path))
  },
  FuzzReader(name: "gguf") { bytes, scratch in
    let path = try scratch.file("x.gguf", bytes)
    _ = try? GGUFModel(path: path)
    try readTensors(GGUFFile(path: path).tensors)
  },
  FuzzReader(name: "pickle") { bytes, scratch in
    // The pickle alone changes; the archive around it is sound.
    let path = try scratch.file(
      "x.pth", storedZip([("a/data.pkl", bytes), ("a/data/0", [UInt8](repeating: 1, count: 64))]))
    _ = try? plainData(ofPyTorchFileAt: path)
    try readTensors(SafetensorsFile(pyTorchPath: path))
  },
]

private func readTensors(_ file: SafetensorsFile) throws {
  for name in file.names {
    _ = try? file.tensor(name)
    _ = try? file.uncheckedNumbers(name)
    if let rows = file.entries[name]?.shape.first, rows > 0 { _ = try? file.rows(0..<1, of: name) }
  }
}

/// A zip of stored entries, with their checksums.
func storedZip(_ entries: [(name: String, bytes: [UInt8])]) -> [UInt8] {
  var (file, directory): ([UInt8], [UInt8]) = ([], [])
  func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  for (name, bytes) in entries {
    let checksum = Int(crc32(of: bytes))
    let sizes = little(checksum, 4) + little(bytes.count, 4) + little(bytes.count, 4)
    let names = little(name.utf8.count, 2) + little(0, 2)
    let start = file.count
    file +=
      little(0x0403_4B50, 4) + [20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes + names + Array(name.utf8) + bytes
    directory += little(0x0201_4B50, 4) + [20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes + names
    directory += [UInt8](repeating: 0, count: 10) + little(start, 4) + Array(name.utf8)
  }
  let end = little(0x0605_4B50, 4) + [0, 0, 0, 0] + little(entries.count, 2) + little(entries.count, 2)
  return file + directory + end + little(directory.count, 4) + little(file.count, 4) + [0, 0]
}
