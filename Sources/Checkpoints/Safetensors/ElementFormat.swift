// How the elements of a tensor lie in a file: one by one, or in blocks with a common scale.

import CKernels

/// An element type that can be read as float32.
struct ElementFormat: Equatable {
  /// What turns bytes into float32.
  enum Reading: Equatable {
    case float32, float16, bfloat16
    /// 8 bits, with four bits of exponent or five.
    case float8(hasFourExponentBits: Bool)
    /// Blocks, by the number that GGUF gives their format.
    case blocks(Int32)
  }

  /// What turns bytes into float32.
  var reading: Reading
  /// Elements of a block.
  var elements = 1
  /// Bytes of a block.
  var bytes: Int

  /// The format of a type's name, as safetensors or GGUF spells it; nil for types that are not read as float32.
  init?(_ type: String) {
    switch type {
    case "F32": (reading, bytes) = (.float32, 4)
    case "F16": (reading, bytes) = (.float16, 2)
    case "BF16": (reading, bytes) = (.bfloat16, 2)
    case "F8_E4M3": (reading, bytes) = (.float8(hasFourExponentBits: true), 1)
    case "F8_E5M2": (reading, bytes) = (.float8(hasFourExponentBits: false), 1)
    default:
      guard let block = Self.blocks[type] else { return nil }
      (reading, elements, bytes) = (.blocks(block.number), block.elements, block.bytes)
    }
  }

  private static let blocks: [String: (number: Int32, elements: Int, bytes: Int)] = [
    "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34),
    "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176),
    "Q6_K": (14, 256, 210),
  ]

  /// Where an element's block begins, in bytes.
  /// - Precondition: the element is the first of its block.
  func byteOffset(of element: Int) -> Int {
    precondition(element % elements == 0, "element \(element) within a block of \(elements)")
    return element / elements * bytes
  }
}
