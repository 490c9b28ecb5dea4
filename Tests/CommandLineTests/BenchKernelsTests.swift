import Foundation
import Tensors
import TestSupport
import Testing

struct BenchKernelsTests {
  private struct Report: Decodable {
    struct Row: Decodable {
      let layers: [String]
      let input, output: [Int]
      let stride: Int
      let pass: String
      let density: Double?
      let operations: Int
      let seconds: [String: Double]
    }

    let samples: Int
    let precision: String
    let rows: [Row]
  }

  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
  }

  private func bench(_ arguments: String..., ranks: Int? = nil) throws -> ProgramRun {
    try workspace.run(
      ["bench", "kernels", "--config", "small.yaml", "--rounds", "1"] + arguments, ranks: ranks)
  }

  @Test func measuresEveryShapeOnce() throws {
    let run = try bench(
      "--densities", "0.1,0.5", "--output", "results", "--set", "training.global_batch=3", "--set",
      "model.family=resnet", "--set", "model.blocks=[1, 1]", "--set", "model.width=16")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("16x16x16 > 16 "))
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/kernels.json").utf8))
    #expect(report.samples == 3 && report.precision == "float32")
    let shapes = [
      ([16, 16, 16], [16, 16, 16], 1, ["layer1.0.conv1", "layer1.0.conv2"]),
      ([16, 16, 16], [8, 8, 32], 2, ["layer2.0.conv1"]),
      ([8, 8, 32], [8, 8, 32], 1, ["layer2.0.conv2"]),
    ]
    try #require(report.rows.count == 5 * shapes.count)
    for (index, (input, output, stride, layers)) in shapes.enumerated() {
      let rows = report.rows[5 * index..<5 * index + 5]
      for row in rows {
        #expect(row.input == input && row.output == output && row.stride == stride)
        #expect(row.layers == layers)
        #expect(row.operations == 2 * 3 * 9 * input[2] * output.reduce(1, *))
        #expect(row.seconds.values.allSatisfy { $0 > 0 })
      }
      #expect(
        rows.map(\.pass) == [
          "forward", "weight gradient", "forward", "weight gradient", "input gradient",
        ])
      #expect(rows.map(\.density) == [0.1, 0.1, 0.5, 0.5, nil])
      // Winograd's method is for stride 1, events for spikes.
      let dense = stride == 1 ? ["dense", "winograd"] : ["dense"]
      // Of real numbers only with AMX.
      let forInput = TileEngine.best == .amx ? dense + ["tiles"] : dense
      #expect(
        rows.map { Set($0.seconds.keys) }
          == Array(repeating: Set(dense + ["events", "tiles"]), count: 4)
          + [Set(forInput)])
    }
    #expect(try workspace.text("results/kernels.svg").hasPrefix("<svg"))
  }

  @Test func wrongOptionsAreRefused() throws {
    #expect(
      try bench("--densities", "0.1,2").errors.contains("'2' is not a share above 0 and up to 1"))
    #expect(try bench("--rounds", "0").errors.contains("must be from 1 to 100000"))
    let job = try bench(ranks: 2)
    #expect(job.status == 1 && job.errors.contains("start it without mpirun"))
  }
}
