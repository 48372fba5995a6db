// HDF5 as this module uses it: one call at a time, silent, and with its errors as Swift errors.
//
// The library keeps global state, so every public operation of this module runs inside `HDF5.perform`. Functions of
// this file expect to be called there.

import CHDF5
import CHDF5System
import Files
import Synchronization

enum HDF5 {
  private static let lock = Mutex(())
  /// Set up once, before the first call into the library.
  private static let isSetUp: Bool = {
    chdf5_do_not_wait_for_exit()
    return true
  }()

  /// Runs `body` while no other thread is inside HDF5.
  static func perform<Result: Sendable>(
    _ body: () throws(RecordingError) -> Result
  ) throws(RecordingError) -> Result {
    try lock.withLock { _ throws(RecordingError) in
      _ = isSetUp
      chdf5_stay_silent()
      return try body()
    }
  }

  /// The library's own words for its last failure.
  static func lastError() -> String {
    var text = [CChar](repeating: 0, count: 512)
    chdf5_first_error(&text, text.count)
    let description = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // A failed system call is described by a list of fields, one of which is the system's own sentence.
    let marker = "error message = '"
    guard let start = description.firstRange(of: marker)?.upperBound else {
      return description.isEmpty ? "HDF5 gave no reason" : description
    }
    return String(description[start...].prefix { $0 != "'" })
  }

  /// Calls `body` with an identifier that `close` gives back afterwards; `failure` explains a negative one.
  static func with<Result>(
    _ id: hid_t, close: (hid_t) -> herr_t, else failure: (String) -> RecordingError,
    _ body: (hid_t) throws(RecordingError) -> Result
  ) throws(RecordingError) -> Result {
    guard id >= 0 else { throw failure(lastError()) }
    defer { _ = close(id) }
    return try body(id)
  }

  /// A variable-length UTF-8 text type, as h5py reads and writes `str`.
  static func withTextType<Result>(
    _ body: (hid_t) throws(RecordingError) -> Result
  ) throws(RecordingError) -> Result {
    let type = H5Tcopy(chdf5_c_string())
    defer { H5Tclose(type) }
    H5Tset_size(type, chdf5_variable_length())
    H5Tset_cset(type, H5T_CSET_UTF8)
    return try body(type)
  }

  /// The enumeration of FALSE and TRUE that h5py reads as a bool.
  static func withBooleanType<Result>(
    _ body: (hid_t) throws(RecordingError) -> Result
  ) throws(RecordingError) -> Result {
    let type = H5Tenum_create(chdf5_std_i8le())
    defer { H5Tclose(type) }
    var (no, yes): (Int8, Int8) = (0, 1)
    H5Tenum_insert(type, "FALSE", &no)
    H5Tenum_insert(type, "TRUE", &yes)
    return try body(type)
  }
}

/// An open HDF5 file. Every member expects to be called inside `HDF5.perform`, which is what makes it safe to share.
final class HDF5File: @unchecked Sendable {
  let path: String
  /// The file's identifier; negative once closed.
  private(set) var id: hid_t

  enum Access {
    case reading
    /// Reading beside a process that writes.
    case peeking
    /// Writing to a file that this process has locked itself.
    case writing
    /// A new file; one that exists is refused.
    case creating
  }

  init(path: String, access: Access) throws(RecordingError) {
    self.path = path
    let withoutLocks = chdf5_access_without_locks()
    defer { H5Pclose(withoutLocks) }
    if access == .writing || access == .creating, let reason = Faults.reason(at: .open) {
      throw .unwritable(path: path, reason: reason)
    }
    switch access {
    case .reading: id = H5Fopen(path, chdf5_open_for_reading(), chdf5_default())
    case .peeking: id = H5Fopen(path, chdf5_open_for_reading(), withoutLocks)
    case .writing: id = H5Fopen(path, chdf5_open_for_writing(), withoutLocks)
    case .creating: id = H5Fcreate(path, chdf5_only_new(), chdf5_default(), withoutLocks)
    }
    guard id >= 0 else {
      let reason = HDF5.lastError()
      throw access == .reading || access == .peeking
        ? .malformed(path: path, problem: reason) : .unwritable(path: path, reason: reason)
    }
  }

  /// Hands everything written so far to the operating system.
  func flush() throws(RecordingError) {
    if let reason = Faults.reason(at: .write) { throw unwritable(reason) }
    guard H5Fflush(id, H5F_SCOPE_GLOBAL) >= 0 else { throw unwritable() }
  }

  /// Closes the file; a second call does nothing.
  /// - Returns: whether everything written reached the operating system.
  @discardableResult
  func close() -> Bool {
    guard id >= 0 else { return true }
    let status = H5Fclose(id)
    id = -1
    return status >= 0
  }

  func unwritable() -> RecordingError { unwritable(HDF5.lastError()) }

  func unwritable(_ reason: String) -> RecordingError { .unwritable(path: path, reason: reason) }

  func malformed(_ problem: String) -> RecordingError { .malformed(path: path, problem: problem) }
}
