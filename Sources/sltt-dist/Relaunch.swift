import ArgumentParser
import Configuration
import Distributed
import Foundation
import Support
import Synchronization
import Training

/// Starts this program once more.
enum Relaunch {
  /// Runs it to its end and returns what it printed; its errors go to the standard error. A signal to stop
  /// ends it.
  ///
  /// - Parameter launcher: what starts the program, such as mpirun with its options.
  /// - Throws: `RelaunchError` if it fails, or was ended.
  static func run(_ arguments: [String], launcher: [String] = []) throws -> String {
    let process = try process(arguments, launcher)
    let pipe = Pipe()
    process.standardOutput = pipe
    StopSignal.install()
    StopSignal.beginDeferring()
    defer { StopSignal.uninstall() }
    try process.run()
    let output = Mutex(Data())
    let reader = WorkerThread {
      let all = pipe.fileHandleForReading.readDataToEndOfFile()
      output.withLock { $0 = all }
    }
    wait(for: process, handingOnAs: SIGTERM)
    reader.join()
    if let name = StopSignal.name { throw RelaunchError(description: "stopped by \(name)") }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let command = (launcher + ["sltt-dist"] + arguments).joined(separator: " ")
      throw RelaunchError(
        description: "\(command) failed with status \(process.terminationStatus)")
    }
    return String(decoding: output.withLock { $0 }, as: UTF8.self)
  }

  /// Runs it to its end, while people see what it prints. A signal to stop is handed on: by SIGUSR1, which
  /// mpirun hands on as well.
  ///
  /// - Returns: its exit status; of one that a signal has ended, 128 and the signal's number.
  static func runVisibly(_ arguments: [String], launcher: [String] = []) throws -> Int32 {
    let process = try process(arguments, launcher)
    try process.run()
    wait(for: process, handingOnAs: SIGUSR1)
    let isBySignal = process.terminationReason == .uncaughtSignal
    return process.terminationStatus + (isBySignal ? 128 : 0)
  }

  /// Waits for its end. It has a process group of its own, so that Ctrl-C does not reach it by itself.
  private static func wait(for process: Process, handingOnAs number: Int32) {
    var wasTold = false
    while process.isRunning {
      if !wasTold && StopSignal.name != nil {
        kill(process.processIdentifier, number)
        wasTold = true
      }
      usleep(20_000)
    }
  }

  private static func process(_ arguments: [String], _ launcher: [String]) throws -> Process {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = launcher + [program] + arguments
    return process
  }
}

extension Relaunch {
  /// What `bench` measures with a configuration in a process or a job of its own.
  ///
  /// - Parameters:
  ///   - benchmark: the subcommand, which has `MeasureOptions`.
  ///   - options: of the subcommand, besides the configuration.
  static func measurement<Measurement: Decodable>(
    _ benchmark: String, _ configuration: Configuration, options: [String],
    launcher: [String] = []
  ) throws -> Measurement {
    // Rank 0 may run elsewhere, where this directory is seen, but not this machine's /tmp.
    let directory = FileManager.default.currentDirectoryPath
    let isShared = !launcher.isEmpty && access(directory, W_OK) == 0
    let file = try ConfigurationFile(
      configuration, in: isShared ? directory : NSTemporaryDirectory())
    // It removes itself.
    defer { withExtendedLifetime(file) {} }
    let text = try run(
      ["bench", benchmark, "--measure", "--config", file.path] + options, launcher: launcher)
    // mpirun may have something to say, too.
    guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
      throw RelaunchError(
        description:
          "bench \(benchmark) printed no measurement: let \(launcher.first ?? "it") hand on"
          + " what its ranks print")
    }
    return try JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
  }
}

/// Asks a benchmark for a single measurement, for the process that started it.
struct MeasureOptions: ParsableArguments {
  @Flag(name: .long, help: .hidden)
  var measure = false

  /// Prints the measurement as `Relaunch.measurement` reads it.
  func show(_ measurement: some Encodable) throws {
    print(String(decoding: try JSONEncoder().encode(measurement), as: UTF8.self))
  }
}

/// The program failed when it was started once more.
struct RelaunchError: Error, CustomStringConvertible {
  let description: String
}

/// A configuration in a file, for a program that is started with it; gone with this value.
final class ConfigurationFile {
  let path: String

  init(_ configuration: Configuration, in directory: String) throws {
    path = directory + "/.sltt-dist-\(UUID().uuidString).yaml"
    try configuration.yaml.write(toFile: path, atomically: true, encoding: .utf8)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
