import Foundation
import TestSupport
import Testing

struct BenchMemoryTests {
  private struct Report: Decodable {
    struct Measurement: Decodable {
      let method: String
      let timesteps, peak_bytes, predicted_bytes, tape_bytes: Int
      let firing_rate: Double
    }

    let batch: Int
    let measurements: [Measurement]
  }

  @Test func measuresEachInAProcessOfItsOwn() throws {
    let workspace = try Workspace.withImages()
    let run = try workspace.run(
      "bench", "memory", "--config", "small.yaml", "--methods", "sltt,sltt-k,ottt,rate,bptt",
      "--timesteps", "1,3", "--firing-rate", "0.2", "--output", "results")
    #expect(run.status == 0 && run.errors == "")
    let report = try report(workspace)
    #expect(report.batch == 10)
    #expect(
      report.measurements.map { "\($0.method) \($0.timesteps)" } == [
        "sltt 1", "sltt 3", "sltt-k 1", "sltt-k 3", "ottt 1", "ottt 3", "rate 1", "rate 3",
        "bptt 1",
        "bptt 3",
      ])
    let tapes = report.measurements.map(\.tape_bytes)
    #expect(Set(tapes[..<4]).count == 1 && tapes[8] == tapes[0] && tapes[9] == 3 * tapes[0])
    #expect(tapes[4] == tapes[5] && tapes[6] == tapes[7])
    for measurement in report.measurements {
      let ratio = Double(measurement.predicted_bytes) / Double(measurement.peak_bytes)
      #expect(ratio > 0.5 && ratio < 2, "\(measurement.method) \(measurement.timesteps): \(ratio)")
      #expect(abs(measurement.firing_rate - 0.2) < 0.04)
    }
    #expect(try workspace.text("results/memory.svg").hasPrefix("<svg"))
  }

  /// Wide enough for the tape to be more than what two processes differ by anyway.
  @Test func throughTimeMemoryGrowsAsPredicted() throws {
    let workspace = try Workspace.withImages()
    let run = try workspace.run(
      "bench", "memory", "--config", "small.yaml", "--set", "model.width=64", "--set",
      "training.global_batch=200", "--methods", "bptt", "--timesteps", "1,3", "--output", "results")
    #expect(run.status == 0)
    let found = try report(workspace).measurements
    try #require(found.map(\.timesteps) == [1, 3])
    func growth(_ bytes: [Int]) -> Double { Double(bytes[1] - bytes[0]) }
    let (predicted, peak) = (growth(found.map(\.predicted_bytes)), growth(found.map(\.peak_bytes)))
    #expect(predicted > growth(found.map(\.tape_bytes)))
    #expect(peak / predicted > 0.5 && peak / predicted < 2, "\(peak), \(predicted)")
  }

  private func report(_ workspace: Workspace) throws -> Report {
    try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/memory.json").utf8))
  }

  @Test func wrongOptionsAreRefused() throws {
    let workspace = try Workspace.withImages()
    #expect(
      try workspace.run("bench", "memory", "--timesteps", "0").errors
        .contains("'0' is not a number of time steps"))
    let job = try workspace.run("bench", "memory", ranks: 2)
    #expect(job.status == 1 && job.errors.contains("start it without mpirun"))
  }
}
