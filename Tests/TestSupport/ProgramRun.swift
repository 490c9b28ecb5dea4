import Distributed
import Foundation

/// A program that a test ran, and what came of it.
public struct ProgramRun: Sendable {
  /// Its exit status; 124 if it did not end in time, 128 + n if signal n ended it.
  public let status: Int32
  /// What it wrote to the standard output.
  public let output: String
  /// What it wrote to the standard error.
  public let errors: String

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - command: the program, found through `PATH` unless it is a path, and its arguments.
  ///   - directory: to run it in; this process's if left out.
  ///   - environment: what differs from this process's.
  ///   - seconds: after which it is killed.
  public init(
    _ command: [String], in directory: String? = nil, environment: [String: String] = [:],
    timeLimit seconds: Int = 60
  ) throws {
    // Files rather than pipes, which would have to be read side by side.
    let results = try TemporaryDirectory()
    let (outputFile, errorFile) = (results.file("output"), results.file("errors"))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["timeout", "--kill-after=5", "\(seconds)"] + command
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try Self.created(outputFile)
    process.standardError = try Self.created(errorFile)
    try Self.withoutBlockedSignals { try process.run() }
    process.waitUntilExit()
    status =
      process.terminationReason == .exit
      ? process.terminationStatus : 128 + process.terminationStatus
    output = try String(contentsOfFile: outputFile, encoding: .utf8)
    errors = try String(contentsOfFile: errorFile, encoding: .utf8)
  }

  /// Runs a program as an MPI job of several ranks, as many as one likes.
  public static func onRanks(
    _ ranks: Int, _ command: [String], in directory: String? = nil, timeLimit seconds: Int = 60
  ) throws -> ProgramRun {
    try ProgramRun(
      mpirun + ["-n", "\(ranks)"] + command, in: directory, environment: mpiEnvironment,
      timeLimit: seconds)
  }

  /// What starts an MPI job of as many ranks as one likes, but for their number. MPICH counts no cores.
  public static let mpirun =
    hasOpenMPI ? ["mpirun", "--oversubscribe", "--bind-to", "none"] : ["mpirun"]

  /// Whether this program was built with Open MPI, not MPICH.
  public static let hasOpenMPI = MPILibrary.isOpenMPI

  /// What Open MPI's `mpirun` wants of root.
  public static let mpiEnvironment = [
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
  ]

  /// Runs, on several ranks, the tests of this very program that a regular expression selects.
  public static func ofTests(_ filter: String, ranks: Int) throws -> ProgramRun {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return try onRanks(ranks, [program, "--testing-library", "swift-testing", "--filter", filter])
  }

  /// The path of a program that was built together with this test program.
  public static func path(ofProduct name: String) throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: program).deletingLastPathComponent()
      .appendingPathComponent(name).path
  }

  /// Threads of Dispatch block signals, and a program that they start would inherit that.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try body()
  }

  private static func created(_ path: String) throws -> FileHandle {
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  }
}
