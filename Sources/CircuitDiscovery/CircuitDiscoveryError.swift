// What can go wrong in this module, with the values that explain it.

/// A failure in `CircuitDiscovery`.
public enum CircuitDiscoveryError: Error, Equatable, Sendable {}
