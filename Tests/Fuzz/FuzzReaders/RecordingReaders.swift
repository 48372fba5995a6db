// Recordings that are sound HDF5 and say anything. HDF5 itself is not on trial: it trusts what it reads, which is why
// recordings are sealed, so the bytes choose what a sound library writes.

import CHDF5
import CHDF5System
import Files
import Recordings
import Tensors

let recordingReaders: [FuzzReader] = [
  FuzzReader(name: "recording") { bytes, scratch in
    let path = scratch.folder + "/r.h5"
    var choices = Choices(bytes: bytes[...])
    writeRecording(&choices, to: path)
    let recording = try Recording(path: path)
    _ = recording.pairs
    let count = min(recording.examples.count, 4)
    _ = try recording.headOutputs(examples: 0..<count)
  },
  FuzzReader(name: "seal") { bytes, scratch in
    // Bytes after, or in place of, the end of a sound file.
    let path = scratch.folder + "/r.h5"
    var choices = Choices(bytes: [])
    writeRecording(&choices, to: path)
    let sound = try readBytes(ofFileAt: path)
    _ = try Recording(path: scratch.file("s.h5", sound + bytes))
  },
]

/// Decisions that bytes take; once they are used up, every decision is the usual one.
private struct Choices {
  var bytes: ArraySlice<UInt8>

  mutating func byte() -> UInt8? { bytes.popFirst() }

  /// A number up to `count`; `usual` where the bytes say so, mostly.
  mutating func number(below count: Int, usual: Int) -> Int {
    guard let byte = byte(), byte >= 0xC0 else { return usual }
    return Int(self.byte() ?? 0) % count
  }
}

private func writeRecording(_ choices: inout Choices, to path: String) {
  let file = H5Fcreate(path, UInt32(H5F_ACC_TRUNC_VALUE), chdf5_default(), chdf5_default())
  guard file >= 0 else { return }
  defer { H5Fclose(file) }
  let text = H5Tcopy(chdf5_c_string())
  defer { H5Tclose(text) }
  H5Tset_size(text, 8)
  for name in ["task", "model", "model_sha256", "position", "dtype", "created_by"] {
    let words = ["last", "each", "mean", "", "a\u{0}b", "answer"]
    let value =
      Array(words[choices.number(below: words.count, usual: 0)].utf8) + [UInt8](repeating: 0, count: 8)
    attribute(
      file, name, choices.number(below: 8, usual: 0) == 7 ? chdf5_native_int64() : text, value, &choices)
  }
  let lengths = [1, 2, 3, 0, -1, 1 << 31, Int.max]
  for name in ["n_layers", "n_heads", "d_model", "seed", "schema_version"] {
    var value = Int64(lengths[choices.number(below: lengths.count, usual: name == "schema_version" ? 0 : 1)])
    withUnsafeBytes(of: &value) { attribute(file, name, chdf5_native_int64(), Array($0), &choices) }
  }
  boolean(file, "bos", &choices)
  boolean(file, "complete", &choices)
  dataset(file, "head_outputs", chdf5_native_float(), [2, 2, 2, 2], &choices)
  dataset(file, "tokens", chdf5_native_int32(), [2, 3], &choices)
  for name in ["lengths", "pairs"] { dataset(file, name, chdf5_native_int32(), [2], &choices) }
  for name in ["labels", "recorded"] { dataset(file, name, chdf5_native_uint8(), [2], &choices) }
  dataset(file, "prompts", text, [2], &choices)
}

private func attribute(
  _ file: hid_t, _ name: String, _ type: hid_t, _ value: [UInt8], _ choices: inout Choices
) {
  guard choices.number(below: 4, usual: 0) != 3 else { return }
  let space = H5Screate(H5S_SCALAR)
  defer { H5Sclose(space) }
  let made = H5Acreate2(file, name, type, space, chdf5_default(), chdf5_default())
  guard made >= 0 else { return }
  H5Awrite(made, type, value + [UInt8](repeating: 0, count: 16))
  H5Aclose(made)
}

private func boolean(_ file: hid_t, _ name: String, _ choices: inout Choices) {
  let type = H5Tenum_create(chdf5_std_i8le())
  defer { H5Tclose(type) }
  var (no, yes): (Int8, Int8) = (0, 1)
  H5Tenum_insert(type, "FALSE", &no)
  H5Tenum_insert(type, "TRUE", &yes)
  attribute(file, name, type, [UInt8(choices.number(below: 3, usual: 1))], &choices)
}

/// A dataset whose shape is mostly `shape`; an absurd one takes no room on disk, as its chunks are never written.
private func dataset(
  _ file: hid_t, _ name: String, _ type: hid_t, _ shape: [hsize_t], _ choices: inout Choices
) {
  guard choices.number(below: 8, usual: 0) != 7 else { return }
  let lengths: [hsize_t] = [0, 1, 2, 3, 1 << 20, 1 << 31, 1 << 40, hsize_t(Int.max)]
  var shape = shape
  for axis in shape.indices {
    let place = choices.number(below: lengths.count + 1, usual: lengths.count)
    if place < lengths.count { shape[axis] = lengths[place] }
  }
  let isSmall = shape.allSatisfy { $0 <= 3 }
  let space = H5Screate_simple(Int32(shape.count), shape, nil)
  defer { H5Sclose(space) }
  let properties = H5Pcreate(chdf5_dataset_create())
  defer { H5Pclose(properties) }
  if !isSmall { H5Pset_chunk(properties, Int32(shape.count), shape.map { max(1, min($0, 2)) }) }
  let made = H5Dcreate2(file, name, type, space, chdf5_default(), properties, chdf5_default())
  guard made >= 0 else { return }
  defer { H5Dclose(made) }
  guard isSmall else { return }
  // What a sound recording of two paired prompts holds, with some bytes changed.
  let usual: [String: [UInt8]] = [
    "labels": [1, 0], "recorded": [1, 1], "lengths": [3, 0, 0, 0, 2], "pairs": [1, 0, 0, 0, 0],
    "tokens": [5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8], "prompts": Array("one".utf8),
  ]
  var content = usual[name] ?? []
  content += [UInt8](repeating: 0, count: 1024 - content.count)
  for _ in 0..<choices.number(below: 16, usual: 0) {
    content[Int(choices.byte() ?? 0)] = choices.byte() ?? 0
  }
  H5Dwrite(made, type, hid_t(0), hid_t(0), chdf5_default(), content)
}

/// `H5F_ACC_TRUNC`, which C spells as a macro that Swift does not see.
private let H5F_ACC_TRUNC_VALUE = 2
