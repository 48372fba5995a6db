// What the few callables of a state dictionary mean, computed here instead of being called.

enum PickleCalls {
  typealias Problem = PickleReader.Problem

  /// The storage that a persistent id describes: ("storage", type, key, device, number of elements).
  static func storage(_ id: PickleValue) throws(Problem) -> PickleValue {
    guard case .tuple(let parts) = id, parts.count == 5, parts[0] == .text("storage"),
      case .global(let global) = parts[1], let type = global.elementType, case .text(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else { throw Problem(text: "its pickle describes a storage in a way that is not known") }
    return .storage(type: type, key: key, count: count)
  }

  /// What calling `function` would give.
  static func result(of function: PickleValue, _ arguments: PickleValue) throws(Problem) -> PickleValue {
    guard case .global(let function) = function, case .tuple(let arguments) = arguments else {
      throw Problem(text: "its pickle calls something that is no known function")
    }
    switch function {
    case .orderedDictionary where arguments.isEmpty:
      return .dictionary([])
    case .parameter:
      guard let tensor = arguments.first, case .tensor = tensor else { break }
      return tensor
    case .tensor:
      guard arguments.count >= 4, case .storage(let type, let key, let count) = arguments[0],
        case .integer(let offset) = arguments[1], let shape = lengths(arguments[2]),
        let strides = lengths(arguments[3]), shape.count == strides.count
      else { break }
      return .tensor(
        PickledTensor(
          type: type, key: key, storageCount: count, offset: offset, shape: shape, strides: strides))
    default: break
    }
    throw Problem(text: "its pickle calls '\(function.rawValue)' with arguments that are not known")
  }

  private static func lengths(_ value: PickleValue) -> [Int]? {
    guard case .tuple(let parts) = value else { return nil }
    var lengths: [Int] = []
    for part in parts {
      guard case .integer(let length) = part, length >= 0 else { return nil }
      lengths.append(length)
    }
    return lengths
  }
}
