// What does the matrix products on this machine, and how fast it is.

import COpenBLAS
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The BLAS in use, for reports about the machine.
public enum LinearAlgebraLibrary {
  /// The library's own description, such as "OpenBLAS 0.3.21 …".
  public static var description: String {
    openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
  }

  /// The kernels it chose for this processor, such as "SkylakeX" or "Zen".
  public static var kernels: String {
    openblas_get_corename().map { String(cString: $0) } ?? "unknown"
  }

  /// Environment variables that are set and can halve the speed of matrix products.
  public static var slowingVariables: [String] {
    let environment = ProcessInfo.processInfo.environment
    return ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"].filter {
      environment[$0] != nil && ($0 != kernelVariable || environment[chosenVariable] == nil)
    }
  }

  private static let kernelVariable = "OPENBLAS_CORETYPE"
  private static let chosenVariable = "HEADLAMP_CHOSE_KERNELS"

  /// Whether `restartWithFittingKernels` chose the kernels.
  public static var kernelsWereChosen: Bool {
    ProcessInfo.processInfo.environment[chosenVariable] != nil
  }

  /// Starts the program anew, with the same words, where the library runs its oldest kernels on a processor that it does
  /// not know but whose instructions allow newer ones: products are then several times as fast.
  ///
  /// The library chooses as it is loaded, so that only a new start can change it. Returns where there is nothing to gain,
  /// where the user chose, and where the program cannot be started again.
  public static func restartWithFittingKernels() {
    let environment = ProcessInfo.processInfo.environment
    guard kernels == "Prescott", environment[kernelVariable] == nil, environment[chosenVariable] == nil,
      let better = openblas_kernels_by_instructions()
    else { return }
    setenv(kernelVariable, better, 1)
    setenv(chosenVariable, "1", 1)
    // By its path, so that the process keeps its name; a program that was replaced meanwhile has none.
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    execv(path, CommandLine.unsafeArgv)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }

  /// The rate of square float32 products, in floating-point operations a second: the best of `repeats`.
  ///
  /// Takes about `repeats · 2·size³ / rate` seconds; a size of 2,048 is large enough to reach the machine's peak.
  public static func productRate(size: Int = 2048, repeats: Int = 5) -> Double {
    let a = Tensor(repeating: 0.5, shape: [size, size])
    let b = Tensor(repeating: 0.25, shape: [size, size])
    var c = Tensor(zeros: [size, size])
    let clock = ContinuousClock()
    let operations = 2 * Double(size) * Double(size) * Double(size)
    let rates = (0..<repeats).map { _ in
      let elapsed = clock.measure { matrixProduct(a, a.matrix, b, b.matrix, into: &c, c.matrix) }
      return operations / (elapsed / .seconds(1))
    }
    return rates.max() ?? 0
  }
}
