// The program's entry; everything it does is in Commands.

import CAllocation
import Commands
import Tensors

@main
enum Headlamp {
  static func main() {
    allocation_is_explained()
    LinearAlgebraLibrary.restartWithFittingKernels()
    runHeadlamp(arguments: Array(CommandLine.arguments.dropFirst()))
  }
}
