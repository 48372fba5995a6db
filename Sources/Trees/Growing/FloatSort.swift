// Sorting many floats: by digits, not by comparisons.

/// Sorts floats without NaN in place: a radix sort of three digits of 11 bits, or the library's sort for few.
func sortFloats(_ values: UnsafeMutableBufferPointer<Float>) {
  var values = values
  let count = values.count
  guard count > 4096 else {
    values.sort()
    return
  }
  withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * count) { scratch in
    var source = UnsafeMutableBufferPointer(rebasing: scratch[..<count])
    var target = UnsafeMutableBufferPointer(rebasing: scratch[count...])
    // Bits that sort as the floats do; both zeros are one number.
    for index in 0..<count {
      let bits = (values[index] + 0).bitPattern
      source[index] = bits & 0x8000_0000 != 0 ? ~bits : bits | 0x8000_0000
    }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 2048) { places in
      for shift in [UInt32(0), 11, 22] {
        places.update(repeating: 0)
        for index in 0..<count { places[Int(source[index] >> shift & 2047)] += 1 }
        var sum = 0
        for digit in 0..<2048 {
          let own = places[digit]
          places[digit] = sum
          sum += own
        }
        for index in 0..<count {
          let digit = Int(source[index] >> shift & 2047)
          target[places[digit]] = source[index]
          places[digit] += 1
        }
        swap(&source, &target)
      }
    }
    for index in 0..<count {
      let key = source[index]
      values[index] = Float(bitPattern: key & 0x8000_0000 != 0 ? key & 0x7fff_ffff : ~key)
    }
  }
}
