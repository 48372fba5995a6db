// What a checkpoint's pickle can describe: plain data and tensors.

/// A value on the pickle machine's stack.
indirect enum PickleValue: Equatable, Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case tuple([PickleValue])
  case list([PickleValue])
  case dictionary([Entry])
  /// The name of something that may be called or referred to; one of `PickleGlobal`.
  case global(PickleGlobal)
  /// A block of numbers: its element type as safetensors names it, the zip entry that holds it, and its length.
  case storage(type: String, key: String, count: Int)
  case tensor(PickledTensor)

  struct Entry: Equatable, Sendable {
    var key: PickleValue
    var value: PickleValue
  }
}

/// A view of a storage.
struct PickledTensor: Equatable, Sendable {
  var type: String
  var key: String
  /// The number of elements in the storage.
  var storageCount: Int
  /// The first element, in elements.
  var offset: Int
  var shape: [Int]
  /// The distance between neighbours along each axis, in elements.
  var strides: [Int]
}

/// The only names that a state dictionary needs. None is looked up or called: each has its meaning here.
enum PickleGlobal: String, Sendable {
  case orderedDictionary = "collections.OrderedDict"
  case tensor = "torch._utils._rebuild_tensor_v2"
  case parameter = "torch._utils._rebuild_parameter"
  case float = "torch.FloatStorage"
  case half = "torch.HalfStorage"
  case bfloat16 = "torch.BFloat16Storage"
  case double = "torch.DoubleStorage"
  case long = "torch.LongStorage"
  case int = "torch.IntStorage"
  case short = "torch.ShortStorage"
  case char = "torch.CharStorage"
  case byte = "torch.ByteStorage"
  case bool = "torch.BoolStorage"

  /// The element type of a storage, as safetensors names it.
  var elementType: String? {
    switch self {
    case .orderedDictionary, .tensor, .parameter: nil
    case .float: "F32"
    case .half: "F16"
    case .bfloat16: "BF16"
    case .double: "F64"
    case .long: "I64"
    case .int: "I32"
    case .short: "I16"
    case .char: "I8"
    case .byte: "U8"
    case .bool: "BOOL"
    }
  }
}
