// libFuzzer's way into one reader, which the variable FUZZ_READER names.

import Files
import Foundation
import FuzzReaders

private let reader: FuzzReader = {
  let name = ProcessInfo.processInfo.environment["FUZZ_READER"] ?? ""
  guard let reader = FuzzReader.all.first(where: { $0.name == name }) else {
    fatalError("FUZZ_READER must be one of \(FuzzReader.all.map(\.name).joined(separator: ", "))")
  }
  FuzzReader.lowerLimits()
  return reader
}()

/// Called by libFuzzer with every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  reader.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
  return 0
}
