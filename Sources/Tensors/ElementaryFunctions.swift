// Sines and powers in double precision, by the C library.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// sin(x), x in radians.
public func sine(_ x: Double) -> Double { sin(x) }

/// cos(x), x in radians.
public func cosine(_ x: Double) -> Double { cos(x) }

/// `base` to the power `exponent`.
public func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
