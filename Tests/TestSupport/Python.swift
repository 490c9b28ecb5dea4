import Foundation

/// The Python with which some tests check files and results: the interpreter that the variable
/// `SLTT_TEST_PYTHON` names, else `python3`.
public enum Python {
  private static let interpreter =
    ProcessInfo.processInfo.environment["SLTT_TEST_PYTHON"] ?? "python3"

  /// A script that did not end well.
  public struct Failure: Error {
    /// What it wrote to the standard error.
    public let errors: String
  }

  /// Whether the interpreter has these modules.
  public static func has(_ modules: String...) -> Bool {
    (try? run("import " + modules.joined(separator: ", "))) != nil
  }

  /// What a script writes to the standard output.
  @discardableResult
  public static func run(_ script: String, _ arguments: String...) throws -> String {
    let run = try ProgramRun([interpreter, "-c", script] + arguments)
    guard run.status == 0 else { throw Failure(errors: run.errors) }
    return run.output
  }

  /// Runs a program in a file, which leaves no compiled modules beside it.
  ///
  /// - Parameter environment: what differs from this process's.
  public static func runProgram(
    _ path: String, _ arguments: [String] = [], environment: [String: String] = [:],
    timeLimit seconds: Int
  ) throws -> ProgramRun {
    try ProgramRun(
      [interpreter, "-B", path] + arguments, environment: environment, timeLimit: seconds)
  }
}
