// Datasets: created with all their storage, then written to in place; read whole or by rows of the first axis.
//
// Because every dataset has its final size from the start, writing head outputs changes no structure of the file: a
// process killed at any moment leaves a file that opens.

import CHDF5
import CHDF5System
import Files

/// A type of dataset element, on file (little-endian) and in memory.
struct HDF5Element {
  var stored: hid_t
  var memory: hid_t
  var family: H5T_class_t

  static var float32: HDF5Element {
    HDF5Element(stored: chdf5_ieee_f32le(), memory: chdf5_native_float(), family: H5T_FLOAT)
  }
  static var int32: HDF5Element {
    HDF5Element(stored: chdf5_std_i32le(), memory: chdf5_native_int32(), family: H5T_INTEGER)
  }
  static var uint8: HDF5Element {
    HDF5Element(stored: chdf5_std_u8le(), memory: chdf5_native_uint8(), family: H5T_INTEGER)
  }
}

extension HDF5File {
  /// Creates a dataset of fixed shape, chunked where `chunk` is given, with zeros where nothing is written.
  func createDataset(
    _ name: String, _ element: hid_t, shape: [Int], chunk: [Int]? = nil
  ) throws(RecordingError) {
    let space = H5Screate_simple(Int32(shape.count), shape.map { hsize_t($0) }, nil)
    defer { H5Sclose(space) }
    let properties = H5Pcreate(chdf5_dataset_create())
    defer { H5Pclose(properties) }
    // No times: the same recording has the same bytes.
    H5Pset_obj_track_times(properties, false)
    H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY)
    if let chunk, !shape.contains(0) {
      H5Pset_chunk(properties, Int32(chunk.count), chunk.map { hsize_t($0) })
      // Unwritten chunks are holes of the file, which read as zeros and take no time to make.
      H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER)
    }
    let dataset = H5Dcreate2(id, name, element, space, chdf5_default(), properties, chdf5_default())
    guard dataset >= 0 else { throw unwritable() }
    H5Dclose(dataset)
  }

  /// Creates a dataset whose rows are those of datasets of the same name in other files, one after the other.
  /// - Parameter parts: each file's path, seen from this one's folder, and its number of rows.
  func createVirtualDataset(
    _ name: String, _ element: hid_t, shape: [Int], over parts: [(path: String, rows: Int)]
  ) throws(RecordingError) {
    let lengths = shape.map { hsize_t($0) }
    let space = H5Screate_simple(Int32(shape.count), lengths, nil)
    defer { H5Sclose(space) }
    let properties = H5Pcreate(chdf5_dataset_create())
    defer { H5Pclose(properties) }
    H5Pset_obj_track_times(properties, false)
    var start = [hsize_t](repeating: 0, count: shape.count)
    for part in parts {
      var count = lengths
      count[0] = hsize_t(part.rows)
      let source = H5Screate_simple(Int32(shape.count), count, nil)
      defer { H5Sclose(source) }
      // Percent signs begin HDF5's own patterns of names.
      let path = part.path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
      guard H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nil, count, nil) >= 0,
        H5Pset_virtual(properties, space, path, "/" + name, source) >= 0
      else { throw unwritable() }
      start[0] += hsize_t(part.rows)
    }
    H5Sselect_all(space)
    let dataset = H5Dcreate2(id, name, element, space, chdf5_default(), properties, chdf5_default())
    guard dataset >= 0 else { throw unwritable() }
    H5Dclose(dataset)
  }

  /// Writes rows `rows` of the first axis.
  func write(
    _ bytes: UnsafeRawPointer?, rows: Range<Int>, of name: String, _ element: HDF5Element
  ) throws(RecordingError) {
    guard !rows.isEmpty, let bytes else { return }
    if let reason = Faults.reason(at: .write) { throw unwritable(reason) }
    try HDF5.with(H5Dopen2(id, name, chdf5_default()), close: H5Dclose, else: unwritable(_:)) {
      (dataset) throws(RecordingError) in
      try withRows(rows, of: dataset, else: unwritable(_:)) { (memory, file) throws(RecordingError) in
        // Without the flush, chunks stay in a cache that closing the dataset empties, whether or not that succeeds.
        guard H5Dwrite(dataset, element.memory, memory, file, chdf5_default(), bytes) >= 0,
          H5Dflush(dataset) >= 0
        else { throw unwritable() }
      }
    }
  }

  /// Writes texts to a whole one-dimensional dataset of texts.
  func write(_ texts: [String], to name: String) throws(RecordingError) {
    guard !texts.isEmpty else { return }
    var bytes: [UInt8] = []
    var starts: [Int] = []
    for text in texts {
      starts.append(bytes.count)
      bytes.append(contentsOf: text.utf8.filter { $0 != 0 })
      bytes.append(0)
    }
    try HDF5.withTextType { (type) throws(RecordingError) in
      try HDF5.with(H5Dopen2(id, name, chdf5_default()), close: H5Dclose, else: unwritable(_:)) {
        (dataset) throws(RecordingError) in
        let status = bytes.withUnsafeBufferPointer { buffer in
          let pointers = starts.map { start in buffer.baseAddress.map { $0 + start } }
          return H5Dwrite(dataset, type, hid_t(0), hid_t(0), chdf5_default(), pointers)
        }
        guard status >= 0 else { throw unwritable() }
      }
    }
  }
}

extension HDF5File {
  func hasDataset(_ name: String) -> Bool { H5Lexists(id, name, chdf5_default()) > 0 }

  /// The lengths of a dataset's axes, after checking its family of elements and its rank.
  /// - Parameter mayBeVirtual: whether its numbers may lie in other files, which are then read there.
  func shape(
    of name: String, _ family: H5T_class_t, ranks: ClosedRange<Int>, mayBeVirtual: Bool = false
  ) throws(RecordingError) -> [Int] {
    guard hasDataset(name) else { throw malformed("dataset '/\(name)' is missing") }
    guard mayBeVirtual || chdf5_lies_in_file(id, name) != 0 else {
      throw malformed("dataset '/\(name)' does not lie in the file itself, or is no dataset")
    }
    return try HDF5.with(H5Dopen2(id, name, chdf5_default()), close: H5Dclose, else: malformed(_:)) {
      (dataset) throws(RecordingError) in
      let stored = H5Dget_type(dataset)
      defer { H5Tclose(stored) }
      guard H5Tget_class(stored) == family else {
        throw malformed("dataset '/\(name)' has another element type than a recording's")
      }
      let space = H5Dget_space(dataset)
      defer { H5Sclose(space) }
      let rank = Int(H5Sget_simple_extent_ndims(space))
      guard ranks.contains(rank) else {
        throw malformed("dataset '/\(name)' has \(max(rank, 0)) axes, not those of a recording")
      }
      var lengths = [hsize_t](repeating: 0, count: rank)
      H5Sget_simple_extent_dims(space, &lengths, nil)
      guard lengths.allSatisfy({ $0 <= hsize_t(Int32.max) }) else {
        throw malformed("dataset '/\(name)' is larger than any recording")
      }
      return lengths.map { Int($0) }
    }
  }

  /// Refuses a dataset that claims more than the file can hold: a few bytes can declare any size.
  /// - Parameter width: bytes of one element.
  func requireRoom(for shape: [Int], width: Int, of name: String) throws(RecordingError) {
    var bytes = max(width, 1)
    var isTooLarge = false
    for length in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: length)
      isTooLarge = isTooLarge || overflow
      bytes = product
    }
    if shape.contains(0) { return }
    var size: hsize_t = 0
    H5Fget_filesize(id, &size)
    // Compressed datasets become larger than the file.
    guard !isTooLarge, bytes <= max(Int(clamping: size), Limit.unpacked.value) else {
      throw malformed(
        "dataset '/\(name)' asks for "
          + Limit.unpacked.refusal(asked: isTooLarge ? nil : bytes, of: "of numbers"))
    }
  }

  /// Reads rows `rows` of the first axis into memory that holds exactly these.
  func read(
    _ name: String, rows: Range<Int>, _ element: HDF5Element, into bytes: UnsafeMutableRawPointer?
  ) throws(RecordingError) {
    guard !rows.isEmpty, let bytes else { return }
    try HDF5.with(H5Dopen2(id, name, chdf5_default()), close: H5Dclose, else: malformed(_:)) {
      (dataset) throws(RecordingError) in
      try withRows(rows, of: dataset, else: malformed(_:)) { (memory, file) throws(RecordingError) in
        guard H5Dread(dataset, element.memory, memory, file, chdf5_default(), bytes) >= 0 else {
          throw malformed("dataset '/\(name)' cannot be read: \(HDF5.lastError())")
        }
      }
    }
  }

  /// Reads a whole one-dimensional dataset of texts.
  func texts(_ name: String, count: Int) throws(RecordingError) -> [String] {
    guard count > 0 else { return [] }
    return try HDF5.with(H5Dopen2(id, name, chdf5_default()), close: H5Dclose, else: malformed(_:)) {
      (dataset) throws(RecordingError) in
      let stored = H5Dget_type(dataset)
      defer { H5Tclose(stored) }
      guard H5Tis_variable_str(stored) > 0 else {
        return try fixedTexts(name, dataset: dataset, type: stored, count: count)
      }
      let space = H5Dget_space(dataset)
      defer { H5Sclose(space) }
      return try HDF5.withTextType { (type) throws(RecordingError) in
        H5Tset_cset(type, H5Tget_cset(stored))
        var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
        guard H5Dread(dataset, type, hid_t(0), hid_t(0), chdf5_default(), &pointers) >= 0 else {
          throw malformed("dataset '/\(name)' cannot be read: \(HDF5.lastError())")
        }
        defer { H5Dvlen_reclaim(type, space, chdf5_default(), &pointers) }
        return pointers.map { $0.map { String(cString: $0) } ?? "" }
      }
    }
  }

  private func fixedTexts(
    _ name: String, dataset: hid_t, type: hid_t, count: Int
  ) throws(RecordingError) -> [String] {
    let width = H5Tget_size(type)
    try requireRoom(for: [count], width: width, of: name)
    var bytes = [UInt8](repeating: 0, count: width * count)
    guard H5Dread(dataset, type, hid_t(0), hid_t(0), chdf5_default(), &bytes) >= 0 else {
      throw malformed("dataset '/\(name)' cannot be read: \(HDF5.lastError())")
    }
    return (0..<count).map { index in
      String(decoding: bytes[index * width..<(index + 1) * width].prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Calls `body` with a memory space of the rows alone and a file space that selects them.
  private func withRows(
    _ rows: Range<Int>, of dataset: hid_t, else failure: (String) -> RecordingError,
    _ body: (hid_t, hid_t) throws(RecordingError) -> Void
  ) throws(RecordingError) {
    try HDF5.with(H5Dget_space(dataset), close: H5Sclose, else: failure) { (file) throws(RecordingError) in
      let rank = Int(H5Sget_simple_extent_ndims(file))
      var counts = [hsize_t](repeating: 0, count: rank)
      H5Sget_simple_extent_dims(file, &counts, nil)
      var starts = [hsize_t](repeating: 0, count: rank)
      starts[0] = hsize_t(rows.lowerBound)
      counts[0] = hsize_t(rows.count)
      guard H5Sselect_hyperslab(file, H5S_SELECT_SET, starts, nil, counts, nil) >= 0 else {
        throw failure(HDF5.lastError())
      }
      try HDF5.with(H5Screate_simple(Int32(rank), counts, nil), close: H5Sclose, else: failure) {
        (memory) throws(RecordingError) in try body(memory, file)
      }
    }
  }
}
