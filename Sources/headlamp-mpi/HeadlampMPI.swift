// headlamp's commands by many processes at once; everything but MPI itself is in Commands.

import CAllocation
import CMPI
import Commands
import Tensors

/// The ranks of an MPI program.
struct MPITeam: PartTeam {
  var rank: Int { Int(cmpi_rank()) }
  var size: Int { Int(cmpi_size()) }
  var ranksOnNode: Int { Int(cmpi_ranks_on_node()) }

  func handOut(_ count: Int) { cmpi_hand_out(Int32(clamping: count)) }
  func next() -> Int? {
    let number = cmpi_next()
    return number == 0 ? nil : Int(number)
  }
  func sum(_ values: [Double]) -> [Double] {
    var sums = values
    unsafe cmpi_sum(&sums, Int32(clamping: sums.count))
    return sums
  }
  func waitForAll() { cmpi_wait_for_all() }
  func finish() { cmpi_finish() }
  func abort(_ code: Int32) { cmpi_abort(code) }
}

@main
enum HeadlampMPI {
  static func main() {
    allocation_is_explained()
    LinearAlgebraLibrary.restartWithFittingKernels()
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard cmpi_start() == 0 else { refuseTeam(program: "headlamp-mpi") }
    runHeadlamp(arguments: arguments, with: MPITeam(), program: "headlamp-mpi")
  }
}
