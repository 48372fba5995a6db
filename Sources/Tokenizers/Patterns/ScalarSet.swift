// Sets of characters as regular expressions write them: `[^\r\n\p{L}]`, `\s`, `a`.

/// A set of code points.
struct ScalarSet: Sendable {
  /// One term of a bracket expression.
  enum Term: Sendable {
    case range(ClosedRange<UInt32>)
    /// General categories, one bit each in the order of `CharacterClass.categories`.
    case categories(UInt32)
    case blank
    case word
    indirect case not(Term)
  }

  private let terms: [Term]
  private let isNegated: Bool
  private let ascii: (low: UInt64, high: UInt64)

  init(_ terms: [Term], isNegated: Bool = false) {
    self.terms = terms
    self.isNegated = isNegated
    var ascii: (low: UInt64, high: UInt64) = (0, 0)
    for scalar in UInt32(0)..<128 where terms.contains(where: { Self.contains($0, scalar) }) != isNegated {
      if scalar < 64 { ascii.low |= 1 << UInt64(scalar) } else { ascii.high |= 1 << UInt64(scalar - 64) }
    }
    self.ascii = ascii
  }

  func contains(_ scalar: UInt32) -> Bool {
    if scalar < 64 { return ascii.low >> UInt64(scalar) & 1 != 0 }
    if scalar < 128 { return ascii.high >> UInt64(scalar - 64) & 1 != 0 }
    for term in terms where Self.contains(term, scalar) { return !isNegated }
    return isNegated
  }

  private static func contains(_ term: Term, _ scalar: UInt32) -> Bool {
    switch term {
    case .range(let range): range.contains(scalar)
    case .categories(let mask): mask >> UInt32(CharacterClass.category(scalar)) & 1 != 0
    case .blank: CharacterClass.isBlank(scalar)
    case .word: isPatternWord(scalar)
    case .not(let term): !contains(term, scalar)
    }
  }

  /// `\w` of split patterns: that of Oniguruma, which has no joiners and knows the Latin-1 digits above the line.
  private static func isPatternWord(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x200C, 0x200D: false
    case 0xB2, 0xB3, 0xB9, 0xBC...0xBE: true
    default: CharacterClass.isWord(scalar)
    }
  }

  /// The categories of a name such as `L` or `Lu`; nil for a name that is no category.
  static func categories(named name: String) -> Term? {
    var mask: UInt32 = 0
    for (number, category) in CharacterClass.categories.enumerated()
    where category == name || (name.count == 1 && category.hasPrefix(name)) {
      mask |= 1 << UInt32(number)
    }
    return mask == 0 ? nil : .categories(mask)
  }
}
