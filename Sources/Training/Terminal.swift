import Foundation

/// Where a program's standard output goes.
struct Terminal {
  /// Whether people see it as it is written.
  let isInteractive: Bool
  /// Characters in a line.
  let width: Int

  /// Of the standard output of this process.
  ///
  /// `mpirun` gives each rank a pseudo-terminal even when its own output goes to a file, so what
  /// counts under it is the output of the parent, `mpirun` itself (on other nodes its daemon, which
  /// has no terminal).
  static func ofStandardOutput() -> Terminal {
    guard ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_RANK"] != nil else {
      return Terminal(descriptor: STDOUT_FILENO)
    }
    let descriptor = open("/proc/\(getppid())/fd/\(STDOUT_FILENO)", O_WRONLY | O_NOCTTY | O_CLOEXEC)
    defer { close(descriptor) }
    return Terminal(descriptor: descriptor)
  }

  private init(descriptor: Int32) {
    isInteractive = isatty(descriptor) == 1
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    width = isKnown ? Int(size.ws_col) : 80
  }
}
