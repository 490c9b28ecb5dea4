import Configuration
import Foundation
import SpikingNetworks
import TestSupport
import Testing
import Training

@testable import Benchmarking

struct ScalingCheckTests {
  /// Weak scaling: a rank computes for a second, and two are a quarter of a second longer.
  private func report() throws -> ScalingReport {
    func measurement(_ ranks: Int, communication: Double) -> ScalingMeasurement {
      ScalingMeasurement(
        network: "network", source: "noise", ranks: ranks, threads: 1, globalBatch: 8 * ranks,
        iterationSeconds: 1 + communication, dataWaitSeconds: 0,
        computeSeconds: 1, communicationSeconds: communication, hiddenSeconds: 0,
        waitSeconds: communication / 2, computingRates: [Double](repeating: 8, count: ranks),
        reducedFloats: 1000, reducedBytes: 4000 + ranks, wire: .float32, chunkLength: 400_000,
        algorithm: "MPI_Allreduce",
        allReduces: ranks == 1 ? [] : [.init(floats: 1000, seconds: 1e-5)], firingRate: 0.15,
        bindings: (0..<ranks).map { "host: cores \($0)" })
    }
    return ScalingReport(
      [(.weak, [[measurement(1, communication: 0), measurement(2, communication: 0.25)]])],
      latency: 1e-5)
  }

  private func file(_ directory: TemporaryDirectory, ranks: Int, bytes: Int) throws
    -> ScalingPredictions
  {
    let file = directory.file("predictions.json")
    try """
    [{"platform": "10 Gb/s", "mode": "weak", "ranks": \(ranks), "reduced_bytes": \(bytes),
      "wire": "float32", "compute_seconds": 2, "communication_seconds": 0.375,
      "wait_seconds": 0.5}]
    """.write(toFile: file, atomically: true, encoding: .utf8)
    return try ScalingPredictions(file: file)
  }

  /// Those beside the simulator, of recipes that anyone can measure.
  @Test(arguments: [
    ("resnet18", "cifar10-resnet18", 10),
    ("nf-resnet34", "imagenet-nf-resnet34-stage1", 1000),
  ])
  func shippedForecastsAreOfTheShippedRecipes(
    _ name: String, _ recipe: String, _ classes: Int
  ) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../..").standardized.path
    let forecast = try ScalingPredictions(
      file: "\(root)/Benchmarks/scaling/forecasts/\(name).json")
    let network = try NetworkPlan(
      Configuration(file: "\(root)/configs/\(recipe).yaml").networkSpecification(
        classes: classes))
    #expect(Set(forecast.all.map(\.ranks)) == [2, 4, 8, 16, 32, 64, 128, 512])
    #expect(forecast.all.allSatisfy { $0.fits(4 * network.weightCount) })
  }

  @Test func deviationsAreByCause() throws {
    let directory = try TemporaryDirectory()
    let check = try ScalingCheck(file(directory, ranks: 2, bytes: 4000), report())
    let row = try #require(check.rows.first)
    #expect(check.rows.count == 1 && row.platform == "10 Gb/s")
    // Computing as measured on one rank; a quarter of it is waiting.
    #expect(
      row.causes == [
        .init(name: "computing", predicted: 1, measured: 1),
        .init(name: "communication", predicted: 0.375, measured: 0.25),
        .init(name: "stragglers", predicted: 0.25, measured: 0.125),
      ])
    let last = try #require(check.text.split(separator: "\n").last)
    #expect(
      last.split(separator: " ").map(String.init) == [
        "iteration", "1625.00", "1375.00", "-15.4", "%",
      ])
  }

  @Test func saysWhereNothingWasPredicted() throws {
    let directory = try TemporaryDirectory()
    let other = try file(directory, ranks: 2, bytes: 8000)
    let error = try #require(throws: ScalingCheckError.self) {
      try ScalingCheck(other, report())
    }
    #expect(error.description.contains("no prediction for 3.9 KiB"), "\(error)")
    #expect(error.description.contains("weak 7.8 KiB in float32 on 2 ranks"), "\(error)")
    for text in [
      "{}", "[]",
      """
      [{"platform": "10 Gb/s", "mode": "weak", "ranks": 2, "reduced_bytes": 0, "wire": "float32",
        "compute_seconds": 0, "communication_seconds": -1, "wait_seconds": 0}]
      """,
    ] {
      try text.write(toFile: other.path, atomically: true, encoding: .utf8)
      #expect(throws: ScalingCheckError.self) { try ScalingPredictions(file: other.path) }
    }
  }

  @Test func saysBeforeTheMeasurementWhatWasNotPredicted() throws {
    let predictions = try file(TemporaryDirectory(), ranks: 2, bytes: 4000)
    try predictions.requireAny(of: [1, 2], [.strong, .weak])
    for (ranks, mode) in [([4], ScalingReport.Mode.weak), ([2], .strong)] {
      let error = #expect(throws: ScalingCheckError.self) {
        try predictions.requireAny(of: ranks, [mode])
      }
      #expect(error?.description.contains("has predictions of weak scaling on 2 ranks") == true)
    }
  }
}
