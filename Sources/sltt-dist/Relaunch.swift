import Configuration
import Foundation
import Training

/// Starts this program once more.
enum Relaunch {
  /// Runs it to its end and returns what it printed; its errors go to the standard error.
  ///
  /// - Parameter launcher: what starts the program, such as mpirun with its options.
  /// - Throws: `RelaunchError` if it fails.
  static func run(_ arguments: [String], launcher: [String] = []) throws -> String {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = launcher + [program] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let command = (launcher + ["sltt-dist"] + arguments).joined(separator: " ")
      throw RelaunchError(
        description: "\(command) failed with status \(process.terminationStatus)")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The program failed when it was started once more.
struct RelaunchError: Error, CustomStringConvertible {
  let description: String
}

/// A configuration in a file, for a program that is started with it; gone with this value.
final class ConfigurationFile {
  let path: String

  init(_ configuration: Configuration) throws {
    path = NSTemporaryDirectory() + "sltt-dist-\(UUID().uuidString).yaml"
    try configuration.yaml.write(toFile: path, atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
