// Backslash escapes of JSON strings.

/// Appends the UTF-8 of a string's bytes with its escapes resolved.
func appendUnescaped(_ text: ArraySlice<UInt8>, to target: inout [UInt8]) throws(JSONProblem) {
  var index = text.startIndex
  while index < text.endIndex {
    let byte = text[index]
    index += 1
    guard byte == UInt8(ascii: "\\") else {
      target.append(byte)
      continue
    }
    guard index < text.endIndex else { throw JSONProblem(offset: index, text: "the text is not closed") }
    let escape = text[index]
    index += 1
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): target.append(escape)
    case UInt8(ascii: "b"): target.append(8)
    case UInt8(ascii: "f"): target.append(12)
    case UInt8(ascii: "n"): target.append(10)
    case UInt8(ascii: "r"): target.append(13)
    case UInt8(ascii: "t"): target.append(9)
    case UInt8(ascii: "u"):
      let scalar = try escapedScalar(text, &index)
      target.append(contentsOf: String(Character(scalar)).utf8)
    default: throw JSONProblem(offset: index - 1, text: "there is no such escape")
    }
  }
}

/// The scalar of `\uXXXX`, or of two of them that form a surrogate pair; `index` stands after the first `u`.
private func escapedScalar(
  _ text: ArraySlice<UInt8>, _ index: inout Int
) throws(JSONProblem) -> Unicode.Scalar {
  let place = index
  var code = try fourDigits(text, &index)
  if code & 0xFC00 == 0xD800, text[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
    index += 2
    let low = try fourDigits(text, &index)
    guard low & 0xFC00 == 0xDC00 else { throw JSONProblem(offset: place, text: "half of a surrogate pair") }
    code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
  }
  guard let scalar = Unicode.Scalar(code) else {
    throw JSONProblem(offset: place, text: "half of a surrogate pair")
  }
  return scalar
}

private func fourDigits(_ text: ArraySlice<UInt8>, _ index: inout Int) throws(JSONProblem) -> UInt32 {
  var code: UInt32 = 0
  for place in index..<index + 4 {
    guard place < text.endIndex, text[place] < 0x80,
      let digit = Character(Unicode.Scalar(text[place])).hexDigitValue
    else { throw JSONProblem(offset: place, text: "four hexadecimal digits are needed") }
    code = code << 4 | UInt32(digit)
  }
  index += 4
  return code
}
