import Glibc
import Support
import TestSupport
import Testing

@testable import Distributed

@Suite struct LaunchTests {
  @Test(arguments: [
    ["OMPI_COMM_WORLD_SIZE": "2"], ["PMIX_RANK": "0"], ["PMIX_NAMESPACE": "job"],
    ["PMI_SIZE": "4"], ["PMI_SIZE": "4", "MPI_LOCALRANKID": "0"],
  ])
  func anMPILauncherIsRecognised(environment: [String: String]) {
    let launch = Launch(environment: environment)
    let variablesOfMpirun = ["OMPI_COMM_WORLD_SIZE", "MPI_LOCALRANKID"]
    #expect(
      launch.isByMPI
        && launch.isByMpirun == variablesOfMpirun.contains { environment[$0] != nil })
  }

  @Test(arguments: ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"])
  func theRankIsKnownBeforeMPIIsInitialised(variable: String) {
    #expect(Launch(environment: [variable: "3"]).rank == 3)
  }

  @Test func aPlainStartIsASingleProcess() throws {
    let launch = Launch(environment: ["PATH": "/bin"])
    #expect(!launch.isByMPI && launch.rank == nil)
    let communicator = try launch.communicator()
    #expect(communicator is SingleProcess)
  }

  @Test func srunWithoutPMIxIsRefused() throws {
    let launch = Launch(environment: [
      "SLURM_NTASKS": "8", "SLURM_STEP_ID": "0", "SLURM_PROCID": "1",
    ])
    let error = try #require(throws: LaunchError.self) { try launch.communicator() }
    #expect(error.announcedRanks == 8)
    #expect("\(error)".contains("mpirun -n 8"))
  }

  @Test(arguments: [
    ["PMI_SIZE": "4"],
    ["PMIX_RANK": "0", "SLURM_NTASKS": "4", "SLURM_STEP_ID": "0"],
  ])
  func aLauncherThatMPIDoesNotKnowIsRefused(environment: [String: String]) {
    let launch = Launch(environment: environment)
    #expect(throws: LaunchError.self) { try launch.check(ranks: 1) }
    #expect(throws: Never.self) { try launch.check(ranks: 4) }
  }

  @Test(arguments: [
    // In an allocation, but not in a step.
    ["SLURM_NTASKS": "8"],
    // A step of one task in a larger allocation.
    ["SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "1", "SLURM_STEP_ID": "0"],
    // mpirun -n 1 in an allocation: its word counts.
    ["SLURM_NTASKS": "8", "SLURM_PROCID": "0", "OMPI_COMM_WORLD_SIZE": "1"],
    // In the script of a batch job.
    ["SLURM_NTASKS": "8", "SLURM_NPROCS": "8", "SLURM_PROCID": "0"],
  ])
  func oneProcessThatIsMeantToBeAloneIsAccepted(environment: [String: String]) {
    #expect(throws: Never.self) { try Launch(environment: environment).check(ranks: 1) }
  }

  @Test func outputThatMpirunPassesOnIsNoTerminal() throws {
    #expect(try ProgramRun.ofTests("LaunchedRanks/printToNoTerminal", ranks: 2).status == 0)
  }
}

/// What the ranks of these jobs do.
@Suite(.enabled(if: Launch.current.isByMPI))
struct LaunchedRanks {
  @Test func printToNoTerminal() {
    #expect(!Terminal.ofStandardOutput().isInteractive)
  }
}
