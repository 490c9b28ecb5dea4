import Configuration
import Distributed
import Testing

@testable import Benchmarking

struct ScalingReportTests {
  /// Iterations of a second more for every rank that is added.
  private func measurement(
    _ ranks: Int, batch: Int, wire: WireFormat = .float32, seconds: Double? = nil,
    firingRate: Double = 0.15
  ) -> ScalingMeasurement {
    ScalingMeasurement(
      network: "network", source: "noise", ranks: ranks, threads: 1, globalBatch: batch,
      iterationSeconds: seconds ?? Double(ranks), dataWaitSeconds: 0,
      computeSeconds: 0.9, communicationSeconds: 0.1, hiddenSeconds: 0.05, waitSeconds: 0,
      computingRates: [Double](repeating: 10, count: ranks), reducedFloats: 1_000_000,
      reducedBytes: wire.bytes * 1_000_000, wire: wire, chunkLength: 400_000,
      algorithm: "MPI_Allreduce",
      allReduces: ranks == 1
        ? []
        : [.init(floats: 1000, seconds: 1.4e-5), .init(floats: 1_000_000, seconds: 4.03e-3)],
      firingRate: firingRate, bindings: (0..<ranks).map { "host: cores \($0)" })
  }

  private func report() throws -> ScalingReport {
    ScalingReport(
      [
        (.weak, [[measurement(1, batch: 8), measurement(2, batch: 16)]]),
        (.strong, [[measurement(1, batch: 8), measurement(2, batch: 8)]]),
      ], latency: 1e-5)
  }

  @Test func efficiencyIsThatOfARank() throws {
    let report = try report()
    let efficiencies = report.series.map { series in
      series.measurements.map { series.efficiency($0) }
    }
    // Half as many images a second of a rank; and a quarter where the batch stays.
    #expect(efficiencies == [[1, 0.5], [1, 0.25]])
    #expect(ScalingReport.Mode.weak.globalBatch(8, ranks: 4) == 32)
    #expect(ScalingReport.Mode.strong.globalBatch(8, ranks: 4) == 8)
  }

  @Test func theMedianOfTheRoundsCounts() throws {
    let rounds = [(1.0, 1.5), (3, 4), (2, 2)].map {
      [measurement(1, batch: 8, seconds: $0), measurement(2, batch: 16, seconds: $1)]
    }
    let report = ScalingReport([(.weak, rounds)], latency: 1e-5)
    let series = report.series[0]
    #expect(series.measurements.map(\.iterationSeconds) == [2, 2])
    #expect(series.efficiencies == [[1, 2 / 3.0], [1, 0.75], [1, 1]])
    #expect(report.text.contains("66.7 %") && report.text.contains("3 rounds"))
  }

  @Test func forecastsGoUpTo4096Ranks() throws {
    let report = try report()
    #expect(
      report.predictions.map(\.network) == [
        "this machine", "1 Gb/s", "10 Gb/s", "25 Gb/s", "100 Gb/s",
      ])
    for prediction in report.predictions {
      #expect(prediction.ranks.first == 1 && prediction.ranks.last == 4096)
      #expect(prediction.weakEfficiency.first == 1)
    }
    // 4 MB over 1 Gb/s, in three chunks.
    let seconds: Double = 6 * 1e-5 + 4e6 / 125e6
    let expected = 0.9 / (0.9 + seconds)
    #expect(abs(report.predictions[1].weakEfficiency[1] - expected) < 1e-12)
    // No network is faster than the memory that was measured.
    #expect(report.predictions[4].model.bandwidth == report.model?.bandwidth)
  }

  @Test func forecastsInBFloat16AreOfHalfTheBytes() throws {
    let report = ScalingReport(
      [(.weak, [[1, 2].map { measurement($0, batch: 8, wire: .bfloat16) }])],
      latency: 1e-5)
    // 2 MB over 1 Gb/s on 4 ranks, in three chunks of 3 + 2 messages.
    let seconds: Double = 15 * 1e-5 + 1.5 * 2e6 / 125e6
    #expect(abs(report.predictions[1].weakEfficiency[2] - 0.9 / (0.9 + seconds)) < 1e-12)
    #expect(report.text.contains("(n - 1 + log2(n)) chunks latency"))
  }

  @Test func warnsWhereHardlyAnythingFires() throws {
    func text(_ firingRates: Double...) throws -> String {
      let measurements = firingRates.map { measurement(1, batch: 8, firingRate: $0) }
      return ScalingReport([(.weak, [measurements])], latency: 1e-5).text
    }
    #expect(try !text(0.02, 0.5).contains("warning"))
    #expect(try text(0.15, 0.004).contains("warning: the firing rate is 0.4 %, less than 2 %."))
  }

  @Test func textAndPlotShowThem() throws {
    let report = try report()
    #expect(report.text.contains("weak scaling, ranks") && report.text.contains("50.0 %"))
    #expect(report.text.contains("rank 1 on host: cores 1"))
    #expect(report.plot.series.map(\.name).first == "measured")
    #expect(report.plot.series.count == 6)
  }
}
