import Distributed
import Tensors
import Testing

@testable import Benchmarking

struct KernelReportTests {
  private static func row(
    _ pass: ConvolutionPass, _ density: Double?, _ seconds: [String: Double],
    chosen: String = "dense"
  ) -> KernelReport.Row {
    KernelReport.Row(
      layers: ["a", "b"],
      ConvolutionGeometry(
        input: Shape(n: 1, h: 8, w: 6, c: 32), outputChannels: 64,
        window: SlidingWindow(kernel: 3, stride: 2, padding: 1)),
      pass, density: density, operations: 3_000_000, seconds: seconds,
      chosen: chosen)
  }

  private let report = KernelReport(
    network: "small", samples: 2, precision: "float32",
    machine: BenchmarkMachine(threads: 1, SingleProcess()),
    rows: [
      row(.forward, 0.5, ["dense": 0.003, "events": 0.002]),
      row(.backwardWeights, 0.5, ["dense": 0.003, "events": 0.001], chosen: "events"),
      row(.forward, 0.25, ["dense": 0.003, "events": 0.0015]),
      row(.backwardInput, nil, ["dense": 0.004, "winograd": 0.0035]),
    ], fit: nil)

  @Test func tableHasWhatEachPassIsComputedBy() {
    let lines = report.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(
      lines.contains([
        "8x6x32", ">", "64", "/2", "2", "weight", "gradient", "0.5", "3.000", "1.000", "3.00",
        "1.00", "events",
      ]))
    #expect(
      lines.contains([
        "8x6x32", ">", "64", "/2", "2", "input", "gradient", "4.000", "3.500", "1.14", "0.75",
        "dense",
      ]))
  }

  @Test func saysWhereTheChoiceIsWrongByMoreThanFifteenPercent() {
    let lines = report.text.split(separator: "\n").map(String.init)
    let first = lines.firstIndex { $0.contains("slower than the fastest") }
    #expect(
      first.map { Array(lines[$0...]) } == [
        "The choice is slower than the fastest by more than 15 % in 2 of 4 rows:",
        "  8x6x32 > 64 /2, forward, density 0.5: events is 1.50 times faster than dense",
        "  8x6x32 > 64 /2, forward, density 0.25: events is 2.00 times faster than dense",
      ])
  }

  @Test func plotGoesFromLowDensityToHigh() {
    #expect(report.plot.series.map(\.name) == ["8x6x32 > 64 /2", "8x6x32 > 64 /2, gradient"])
    #expect(report.plot.series[0].points.map(\.x) == [25, 50])
    #expect(report.plot.series[0].points.map(\.y) == [2, 1.5])
    #expect(report.plot.series[1].points.map(\.y) == [3])
  }

  /// As of outputs that are too wide.
  @Test func aConvolutionMayHaveNoKernelByEvents() {
    let report = KernelReport(
      network: "large", samples: 2, precision: "float32",
      machine: BenchmarkMachine(threads: 1, SingleProcess()),
      rows: [Self.row(.forward, 0.5, ["dense": 0.003])], fit: nil)
    #expect(report.plot.series.isEmpty && report.plot.svg.hasPrefix("<svg"))
    #expect(report.text.contains("3.000"))
  }
}
