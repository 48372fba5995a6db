// Attributes of the root group: texts, whole numbers and truth values.

import CHDF5
import CHDF5System

extension HDF5File {
  func writeAttribute(_ name: String, _ value: String) throws(RecordingError) {
    let bytes = value.utf8CString
    try HDF5.withTextType { (type) throws(RecordingError) in
      let status = bytes.withUnsafeBufferPointer { text in
        var pointer = text.baseAddress
        return write(name, type: type, memoryType: type, from: &pointer)
      }
      guard status >= 0 else { throw unwritable() }
    }
  }

  func writeAttribute(_ name: String, _ value: Int) throws(RecordingError) {
    var value = Int64(value)
    let status = write(name, type: chdf5_std_i64le(), memoryType: chdf5_native_int64(), from: &value)
    guard status >= 0 else { throw unwritable() }
  }

  func writeAttribute(_ name: String, _ value: UInt64) throws(RecordingError) {
    var value = value
    let status = write(name, type: chdf5_std_u64le(), memoryType: chdf5_native_uint64(), from: &value)
    guard status >= 0 else { throw unwritable() }
  }

  func writeAttribute(_ name: String, _ value: Bool) throws(RecordingError) {
    var value: Int8 = value ? 1 : 0
    try HDF5.withBooleanType { (type) throws(RecordingError) in
      guard write(name, type: type, memoryType: type, from: &value) >= 0 else { throw unwritable() }
    }
  }

  /// Creates the attribute, or overwrites the one that exists in place.
  private func write(
    _ name: String, type: hid_t, memoryType: hid_t, from value: UnsafeRawPointer
  ) -> herr_t {
    let attribute: hid_t
    if H5Aexists(id, name) > 0 {
      attribute = H5Aopen(id, name, chdf5_default())
    } else {
      let space = H5Screate(H5S_SCALAR)
      defer { H5Sclose(space) }
      attribute = H5Acreate2(id, name, type, space, chdf5_default(), chdf5_default())
    }
    guard attribute >= 0 else { return -1 }
    defer { H5Aclose(attribute) }
    return H5Awrite(attribute, memoryType, value)
  }

  func hasAttribute(_ name: String) -> Bool { H5Aexists(id, name) > 0 }

  func textAttribute(_ name: String) throws(RecordingError) -> String {
    try withAttribute(name, of: H5T_STRING) { (attribute, stored) throws(RecordingError) in
      if H5Tis_variable_str(stored) > 0 {
        return try HDF5.withTextType { (type) throws(RecordingError) in
          var text: UnsafeMutablePointer<CChar>?
          // The character set on file decides; both are read the same way.
          H5Tset_cset(type, H5Tget_cset(stored))
          guard H5Aread(attribute, type, &text) >= 0, let text else {
            throw malformed("attribute '\(name)' cannot be read")
          }
          defer { H5free_memory(text) }
          return String(cString: text)
        }
      }
      var bytes = [UInt8](repeating: 0, count: H5Tget_size(stored))
      guard H5Aread(attribute, stored, &bytes) >= 0 else {
        throw malformed("attribute '\(name)' cannot be read")
      }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  func integerAttribute(_ name: String) throws(RecordingError) -> Int {
    try withAttribute(name, of: H5T_INTEGER) { (attribute, _) throws(RecordingError) in
      var value: Int64 = 0
      guard H5Aread(attribute, chdf5_native_int64(), &value) >= 0 else {
        throw malformed("attribute '\(name)' cannot be read")
      }
      return Int(value)
    }
  }

  func unsignedAttribute(_ name: String) throws(RecordingError) -> UInt64 {
    try withAttribute(name, of: H5T_INTEGER) { (attribute, _) throws(RecordingError) in
      var value: UInt64 = 0
      guard H5Aread(attribute, chdf5_native_uint64(), &value) >= 0 else {
        throw malformed("attribute '\(name)' cannot be read")
      }
      return value
    }
  }

  func booleanAttribute(_ name: String) throws(RecordingError) -> Bool {
    try withAttribute(name, of: H5T_ENUM) { (attribute, stored) throws(RecordingError) in
      guard H5Tget_size(stored) == 1 else { throw malformed("attribute '\(name)' is not a truth value") }
      var value: Int8 = 0
      guard H5Aread(attribute, stored, &value) >= 0 else {
        throw malformed("attribute '\(name)' cannot be read")
      }
      return value != 0
    }
  }

  private func withAttribute<Result>(
    _ name: String, of expected: H5T_class_t, _ body: (hid_t, hid_t) throws(RecordingError) -> Result
  ) throws(RecordingError) -> Result {
    guard hasAttribute(name) else { throw malformed("attribute '\(name)' is missing") }
    return try HDF5.with(H5Aopen(id, name, chdf5_default()), close: H5Aclose, else: malformed(_:)) {
      (attribute) throws(RecordingError) in
      try HDF5.with(H5Aget_type(attribute), close: H5Tclose, else: malformed(_:)) {
        (stored) throws(RecordingError) in
        let scalar = try HDF5.with(H5Aget_space(attribute), close: H5Sclose, else: malformed(_:)) {
          (space) throws(RecordingError) in H5Sget_simple_extent_npoints(space) == 1
        }
        guard scalar, H5Tget_class(stored) == expected else {
          throw malformed("attribute '\(name)' has another type than a recording's")
        }
        return try body(attribute, stored)
      }
    }
  }
}
