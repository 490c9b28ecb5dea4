import Foundation

/// Where a program's standard output goes.
public struct Terminal {
  /// Whether people see it as it is written, and what is written can change.
  public let isInteractive: Bool
  /// Characters in a line.
  public let width: Int

  /// Of the standard output of this process.
  ///
  /// `isatty` alone cannot tell: Open MPI gives each rank a pseudo-terminal even when its own output goes
  /// to a file, so what counts under it is also the output of the parent, `mpirun` itself (on other nodes
  /// its daemon, which has no terminal).
  public static func ofStandardOutput() -> Terminal {
    let own = Terminal(descriptor: STDOUT_FILENO)
    let environment = ProcessInfo.processInfo.environment
    guard own.isInteractive,
      environment["OMPI_COMM_WORLD_RANK"] != nil || environment["PMIX_RANK"] != nil
    else { return own }
    let descriptor = open("/proc/\(getppid())/fd/\(STDOUT_FILENO)", O_WRONLY | O_NOCTTY | O_CLOEXEC)
    defer { close(descriptor) }
    return Terminal(descriptor: descriptor)
  }

  private init(descriptor: Int32) {
    isInteractive = isatty(descriptor) == 1 && getenv("TERM").map { strcmp($0, "dumb") } != 0
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    width = isKnown ? Int(size.ws_col) : 80
  }
}
