// Sines, powers, exponentials and logarithms in double precision, by the C library.

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

/// e to the power `x`.
public func exponential(_ x: Double) -> Double { exp(x) }

/// The natural logarithm of `x`.
public func logarithm(_ x: Double) -> Double { log(x) }
