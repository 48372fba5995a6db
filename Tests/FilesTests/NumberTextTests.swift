// Decimal texts against the C library's printf.

import Files
import Foundation
import Testing

@Suite struct NumberTextTests {
  @Test(arguments: [0, 1, -1, 0.51, 2.345678, -0.0004, 123456.789, 1e-9, 99.9996])
  func decimalsAgreeWithPrintf(value: Double) {
    for places in 0...6 {
      let expected = String(format: "%.\(places)f", value)
      let ours = value.text(decimals: places)
      // Halves that decimals cannot hold may fall either way.
      #expect(abs((Double(expected) ?? .nan) - (Double(ours) ?? .nan)) <= pow(10, -Double(places)) * 0.51)
      #expect(ours.split(separator: ".").dropFirst().first?.count ?? 0 == places)
    }
  }

  @Test func significantDigits() {
    #expect(0.31274.text(significant: 4) == "0.3127")
    #expect(41.5.text(significant: 4) == "41.5")
    #expect(1.2e-7.text(significant: 3) == "1.2e-07")
    #expect(1e-6.text(significant: 3) == "1e-06")
    #expect(9.996.text(significant: 3) == "10")
    #expect(0.99999.text(significant: 4) == "1")
    #expect((-1200.0).text(significant: 2) == "-1200")
    #expect(Double.nan.text(significant: 2) == "nan")
  }
}
