import Foundation
import TestSupport
import Testing

struct BenchAllReduceTests {
  private struct Report: Decodable {
    struct Row: Decodable {
      let bytes: Int
      let chunked_seconds, rounded_seconds: [Double]
    }

    let ranks: Int
    let rows: [Row]
  }

  @Test func measuresTheRanksItIsStartedOn() throws {
    let workspace = try Workspace()
    let run = try workspace.run(
      "bench", "allreduce", "--largest", "1", "--chunks", "1000,100000", "--rounds", "1",
      "--output", "results", ranks: 3, usesOneThread: false)
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("3 ranks; bus bandwidth"))
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/allreduce.json").utf8))
    #expect(report.ranks == 3)
    #expect(report.rows.map(\.bytes) == [16 << 10, 64 << 10, 256 << 10, 1 << 20])
    #expect(report.rows.allSatisfy { $0.chunked_seconds.count == 2 })
    #expect(report.rows.allSatisfy { $0.rounded_seconds.count == 2 })
    #expect(try workspace.text("results/allreduce.svg").hasPrefix("<svg"))
  }

  @Test func wrongOptionsAreRefused() throws {
    let workspace = try Workspace()
    let alone = try workspace.run("bench", "allreduce", usesOneThread: false)
    #expect(alone.status == 1 && alone.errors.contains("needs several ranks"))
    let none = try workspace.run("bench", "allreduce", "--chunks", "0", usesOneThread: false)
    #expect(none.errors.contains("'0' is not a number of floats"))
  }
}
