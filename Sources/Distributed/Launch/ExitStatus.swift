/// How the program ends, for the launcher and for batch systems. 0 is success; wrong options are 64;
/// a rank killed by signal n makes mpirun end with 128 + n.
public enum ExitStatus {
  /// Something that would fail again: the configuration, the data, a loss that is not finite.
  public static let failure: Int32 = 1
  /// Some inputs could not be used and were passed over.
  public static let passedOver: Int32 = 2
  /// The ranks lost each other: MPI failed, usually because a rank or a host died.
  public static let broken: Int32 = 71
  /// A signal asked the run to stop; it has written a checkpoint and can go on from there.
  public static let interrupted: Int32 = 75
  /// The watchdog ended a run that stood still.
  public static let hung: Int32 = 124
}
