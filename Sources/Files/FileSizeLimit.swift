// A limit on file sizes is told like a full disk, instead of ending the process.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// From now on writing past the process's file-size limit (`ulimit -f`) fails with an error that can be explained; by
/// default the signal SIGXFSZ would end the process without a word.
public func reportFileSizeLimit() {
  signal(SIGXFSZ, SIG_IGN)
}
