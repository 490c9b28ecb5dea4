import Foundation
import TestSupport
import Testing

struct BenchDataTests {
  private struct Report: Decodable {
    struct Rates: Decodable {
      let workers: Int
      let read, decoded, augmented, delivered: Double
    }

    let samples, image_size, batch: Int
    let images_per_second, images_per_processor_second: [Rates]
  }

  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
  }

  private func bench(_ arguments: String...) throws -> ProgramRun {
    try workspace.run(
      ["bench", "data", "--config", "small.yaml"] + arguments, usesOneThread: false)
  }

  @Test func printsATableAndWritesItsFigures() throws {
    let run = try bench("--workers", "1,3", "--seconds", "0.02", "--output", "rates.json")
    #expect(run.status == 0 && run.errors == "")
    let all = run.output.split(separator: "\n")
    #expect(all.count == 7 && all[0].hasPrefix("chosen from the data"))
    let lines = all[3...].map(String.init)
    #expect(lines[0] == "images/train: 23 samples, 16x16 pixels, batches of 10")
    #expect(
      lines[1].split(separator: " ")
        == ["threads", "read/s", "decoded/s", "augmented/s", "delivered/s"])
    #expect(lines[2...].map { $0.split(separator: " ").first } == ["1", "3"])

    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("rates.json").utf8))
    #expect((report.samples, report.image_size, report.batch) == (23, 16, 10))
    #expect(report.images_per_second.map(\.workers) == [1, 3])
    #expect(report.images_per_processor_second.map(\.workers) == [1, 3])
    for rates in report.images_per_second + report.images_per_processor_second {
      #expect(min(rates.read, rates.decoded, rates.augmented, rates.delivered) > 0)
    }
  }

  @Test func wrongOptionsAreRefused() throws {
    #expect(try bench("--workers", "0").errors.contains("'0' is not a number of threads"))
    #expect(try bench("--seconds", "0").errors.contains("must be from 0.001 to"))
    for output in ["none/x.json", "small.yaml"] {
      let run = try bench("--output", output)
      #expect(run.status == 1 && run.output == "", "\(output)")
      #expect(run.messages.first?.hasPrefix("\(output): ") == true)
    }
    let job = try workspace.run("bench", "data", ranks: 2, usesOneThread: false)
    #expect(job.status == 1 && job.errors.contains("start it without mpirun"))
  }
}
