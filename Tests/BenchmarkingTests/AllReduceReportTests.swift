import Testing

@testable import Benchmarking

struct AllReduceReportTests {
  private let report = AllReduceReport(
    ranks: 4, chunkLengths: [100_000],
    rows: [
      .init(
        bytes: 1 << 20, plainSeconds: 0.001, chunkedSeconds: [0.0005], roundedSeconds: [0.00025])
    ])

  @Test func busBandwidthIsThatOfARing() {
    #expect(report.busBandwidth(bytes: 1_000_000, seconds: 0.001) == 1.5e9)
  }

  @Test func textAndPlotShowAll() {
    let last = report.text.split(separator: "\n").last!
    #expect(last.split(separator: " ") == ["1.0", "MiB", "1.000", "1.57", "3.15", "6.29"])
    #expect(
      report.plot.series.map(\.name) == [
        "MPI_Allreduce", "chunks of 100,000", "bfloat16, chunks of 100,000",
      ])
  }
}
