import Foundation

/// How this process was started, as far as its environment tells.
public struct Launch: Equatable, Sendable {
  /// Whether an MPI launcher (`mpirun`, or `srun` with PMIx) started this process.
  public let isByMPI: Bool
  /// The number of ranks that the launcher meant to start, where it says so.
  public let announcedRanks: Int?
  /// The launcher, for messages.
  public let launcher: String
  /// The rank that this process will have, where the launcher says so.
  public let rank: Int?

  /// Reads the variables that `mpirun` of Open MPI or MPICH, PMIx, PMI and SLURM leave in `environment`.
  public init(environment: [String: String]) {
    // What a batch script starts by itself has a SLURM_PROCID, too, and is alone.
    let isSLURMStep = environment["SLURM_STEP_ID"] != nil
    let slurmTasks = environment["SLURM_STEP_NUM_TASKS"] ?? environment["SLURM_NTASKS"]
    rank = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"].lazy
      .compactMap { environment[$0] }.first.flatMap { Int($0) }
    if let ranks = environment["OMPI_COMM_WORLD_SIZE"] {
      (isByMPI, announcedRanks, launcher) = (true, Int(ranks), Self.mpirun)
    } else if let ranks = environment["PMI_SIZE"] {
      (isByMPI, announcedRanks, launcher) = (
        true, Int(ranks), environment["MPI_LOCALRANKID"] != nil ? Self.mpirun : "a PMI launcher"
      )
    } else {
      isByMPI = environment["PMIX_RANK"] != nil || environment["PMIX_NAMESPACE"] != nil
      announcedRanks = isSLURMStep ? slurmTasks.flatMap { Int($0) } : nil
      launcher = isSLURMStep ? "SLURM" : "a PMIx launcher"
    }
  }

  /// Whether `mpirun` of Open MPI or MPICH started this process.
  public var isByMpirun: Bool { launcher == Self.mpirun }

  private static let mpirun = "mpirun"

  /// This process's own start.
  public static let current = Launch(environment: ProcessInfo.processInfo.environment)

  /// Joins the ranks of the job, or stands alone where no MPI launcher started this process. Call it
  /// once, early.
  ///
  /// - Throws: `LaunchError` if several processes were started that do not know of each other;
  ///   `MPIError` if MPI cannot be initialised.
  public func communicator() throws -> any Communicator {
    guard isByMPI else {
      try check(ranks: 1)
      return SingleProcess()
    }
    let communicator = try MPICommunicator()
    try check(ranks: communicator.size)
    return communicator
  }

  /// Throws if this process is one of several that were meant to be ranks of one job but found
  /// themselves in a world of their own.
  func check(ranks: Int) throws(LaunchError) {
    guard ranks == 1, let announcedRanks, announcedRanks > 1 else { return }
    throw LaunchError(launcher: launcher, announcedRanks: announcedRanks)
  }
}

/// Several processes were started, but as jobs of one rank each: each would train on everything and
/// overwrite the others' files.
public struct LaunchError: Error, Equatable, CustomStringConvertible {
  public let launcher: String
  public let announcedRanks: Int

  public var description: String {
    """
    \(launcher) announces \(announcedRanks) processes, but this one finds itself alone: MPI did not \
    connect them, and each would run the whole job by itself. Start the ranks with the mpirun of \
    the MPI that sltt-dist runs with, \(MPILibrary.version): mpirun -n \(announcedRanks) \
    sltt-dist …, also inside sbatch or salloc; or with srun --mpi=pmix where both SLURM and that \
    MPI have PMIx support (srun --mpi=list shows it). \
    For a single process inside an allocation: mpirun -n 1 sltt-dist ….
    """
  }
}
