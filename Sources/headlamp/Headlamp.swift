// The program's entry; everything it does is in Commands.

import Commands
import Tensors

@main
enum Headlamp {
  static func main() {
    LinearAlgebraLibrary.restartWithFittingKernels()
    runHeadlamp(arguments: Array(CommandLine.arguments.dropFirst()))
  }
}
