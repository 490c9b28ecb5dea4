import Foundation

/// An `mpirun` job of this very test program, with a time limit, for tests of how jobs end.
struct MPIJob {
  /// The exit status of `mpirun`; 124 if the job hung.
  let status: Int32
  /// What the ranks and `mpirun` wrote to standard error.
  let errors: String

  /// Runs the tests that the regular expression `test` selects on `ranks` ranks, and waits.
  init(ranks: Int, running test: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "timeout", "--kill-after=5", "60",
      "mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none",
      try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      "--testing-library", "swift-testing", "--filter", test,
    ]
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]) { _, new in new }
    let errorPipe = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errorPipe
    try process.run()
    let errors = try errorPipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    self.status = process.terminationStatus
    self.errors = String(decoding: errors, as: UTF8.self)
  }
}
