@testable import Configuration
import Foundation
import TestSupport
import Testing

@testable import Training

/// Whatever is configured, the program ends in words and soon, or trains and obeys a signal.
struct ConfigurationFuzzTests {
  private static let keys = Configuration.keys.map {
    ConfigurationGenerator.Key(name: $0.name, values: $0.values, edges: $0.edges)
  }
  /// So many configurations; with this variable, others or more.
  private static let count =
    ProcessInfo.processInfo.environment["SLTT_TEST_CONFIGURATIONS"].flatMap(Int.init) ?? 40
  private static let seed =
    ProcessInfo.processInfo.environment["SLTT_TEST_SEED"].flatMap(UInt64.init) ?? 1

  /// The first signal after three seconds asks a run to stop, the second one ends it in the midst of an
  /// iteration; what is still there then has not obeyed.
  private static let signals = [
    "timeout", "--preserve-status", "--kill-after=60", "40", "timeout", "--preserve-status", "3",
  ]

  @Test func everyConfigurationEndsInWords() throws {
    let workspace = try Workspace.withImages()
    try writeRecordings(to: workspace)
    var statuses: [Int32: Int] = [:]
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    for index in 0..<Self.count {
      var generator = ConfigurationGenerator(Self.keys, seed: Self.seed &+ UInt64(index))
      let settings = generator.overrides().flatMap { ["--set", $0] }
      let isTraining = index % 4 != 0
      let data =
        index % 3 == 0
        ? ["--set", "data.path=recordings", "--set", "model.input_channels=2"] : []
      let run = try ProgramRun(
        Self.signals + [
          program, isTraining ? "train" : "inspect", "--config", "small.yaml",
          "--set", "training.max_iterations=1",
        ] + data + settings + (isTraining ? ["--threads", "1", "--output", "run"] : []),
        in: workspace.directory.path, timeLimit: 200)
      statuses[run.status, default: 0] += 1
      // Stopped by the signal: with a checkpoint, or before there was anything to save.
      #expect([0, 1, 64, 75, 128 + SIGTERM].contains(run.status), "\(settings): \(run)")
      #expect(![1, 64].contains(run.status) || !run.errors.isEmpty, "\(settings)")
      #expect(
        !run.errors.contains("Fatal error") && !run.errors.contains(" at /"),
        "\(settings): \(run.errors)")
      for name in ["run", "recordings/.sltt-dist"] {
        try? FileManager.default.removeItem(atPath: workspace.file(name))
      }
    }
    // Not all are refused.
    let begun = statuses.filter { ![1, 64].contains($0.key) }.values.reduce(0, +)
    #expect(begun > Self.count / 10, "\(statuses)")
  }

  /// Recordings of a few events, as of N-MNIST.
  private func writeRecordings(to workspace: Workspace) throws {
    for split in ["Train", "Test"] {
      for label in 0..<3 {
        let folder = "recordings/\(split)/\(label)"
        try workspace.directory.makeDirectory(folder)
        // Five bytes an event: x, y, polarity and 23 bits of microseconds.
        let events = (0..<40).flatMap { time -> [UInt8] in
          [UInt8(time % 34), UInt8((label * time) % 34), UInt8(time % 2) << 7, 0, UInt8(time)]
        }
        try Data(events).write(to: URL(fileURLWithPath: workspace.file(folder + "/a.bin")))
      }
    }
  }
}
