// Memory that has been freed, back to the system.

#if canImport(Glibc)
  import CMalloc
#endif

/// Gives back memory that has been freed: the C library keeps it, and the large arrays that one stage needed for a
/// moment would stand beside those of the next.
public func returnFreedMemory() {
  #if canImport(Glibc)
    malloc_trim(0)
  #endif
}
