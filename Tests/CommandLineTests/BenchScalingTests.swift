import Foundation
import TestSupport
import Testing

struct BenchScalingTests {
  private struct Report: Decodable {
    struct Series: Decodable {
      let mode: String
      let measurements: [Measurement]
      let efficiencies: [[Double]]
    }

    struct Measurement: Decodable {
      let ranks, global_batch: Int
      let iteration_seconds, compute_seconds: Double
      let communication_seconds: Double
      let firing_rate: Double?
      let reduced_floats, reduced_bytes: Int
      let computing_rates: [Double]
      let bindings: [String]
    }

    struct Prediction: Decodable {
      let ranks: [Int]
      let weak_efficiency: [Double]
    }

    let series: [Series]
    let predictions: [Prediction]
  }

  private let mpirun = ProgramRun.mpirun.joined(separator: " ")

  private func bench(_ workspace: Workspace, _ arguments: String...) throws -> ProgramRun {
    try ProgramRun(
      [try ProgramRun.path(ofProduct: "sltt-dist"), "bench", "scaling"] + arguments,
      in: workspace.directory.path,
      environment: ProgramRun.mpiEnvironment)
  }

  /// A Ctrl-C reaches it alone, since what it starts has a process group of its own.
  @Test(arguments: ["INT", "TERM"]) func aSignalEndsWhatItStarted(signal: String) throws {
    let workspace = try Workspace.withImages()
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let run = try ProgramRun(
      [
        "bash", "-c",
        """
        env --default-signal=INT '\(program)' bench scaling --config small.yaml --ranks 2 \
          --iterations 1000000 --mpirun '\(mpirun)' 2>errors &
        descendants() { for child in $(pgrep -P "$1"); do echo $child; descendants $child; done; }
        ranks() {
          for process in $(descendants $1); do
            [[ $(readlink /proc/$process/exe) != */sltt-dist ]] || echo $process
          done
        }
        until (($(ranks $! | wc -w) == 2)); do
          kill -0 $! || exit 3
          sleep 0.05
        done
        sleep 0.5
        all=$(descendants $!)
        kill -\(signal) $!
        wait $!
        echo "status $?"
        # A process that was killed may take a moment to go.
        live() { grep -ls '^State:.[^ZX]' $(printf '/proc/%s/status ' $all); }
        for try in {1..400}; do live || break; sleep 0.05; done >/dev/null
        [[ -z $(live) ]] || echo "$(live) is left"
        cat errors
        ls -A
        """,
      ], in: workspace.directory.path, environment: ProgramRun.mpiEnvironment)
    #expect(run.value("status") == "1", "\(run.output) \(run.errors)")
    #expect(run.output.contains("stopped by SIG\(signal)") && !run.output.contains("is left"))
    #expect(!run.output.contains(".sltt-dist-"))
  }

  @Test func startsItsRanksItself() throws {
    let workspace = try Workspace.withImages()
    let run = try bench(
      workspace, "--config", "small.yaml", "--ranks", "1,2", "--iterations", "2", "--rounds", "2",
      "--mpirun", mpirun, "--output", "results")
    #expect(run.status == 0 && run.errors == "")
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/scaling.json").utf8))
    #expect(report.series.map(\.mode) == ["weak", "strong"])
    #expect(report.series.map { $0.measurements.map(\.global_batch) } == [[10, 20], [10, 10]])
    #expect(report.series.map { $0.efficiencies.map(\.count) } == [[2, 2], [2, 2]])
    for measurement in report.series.flatMap(\.measurements) {
      #expect(measurement.computing_rates.count == measurement.ranks)
      #expect(measurement.bindings.count == measurement.ranks)
      #expect(abs(try #require(measurement.firing_rate) - 0.15) < 0.03)
      #expect(measurement.compute_seconds <= measurement.iteration_seconds)
    }
    #expect(report.predictions.count == 5)
    #expect(report.predictions.allSatisfy { $0.ranks.last == 4096 && $0.weak_efficiency[0] == 1 })
    #expect(try workspace.text("results/scaling.svg").hasPrefix("<svg"))
  }

  @Test func measuresTheOptionsOfTheExchange() throws {
    let workspace = try Workspace.withImages()
    let run = try bench(
      workspace, "--config", "small.yaml", "--set", "distributed.overlap=true", "--set",
      "distributed.wire=bfloat16", "--ranks", "2", "--modes", "weak", "--iterations", "2",
      "--rounds", "1", "--mpirun", mpirun, "--output", "results")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("MPI_Alltoall and MPI_Allgather of bfloat16"))
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/scaling.json").utf8))
    let measurement = try #require(report.series.first?.measurements.first)
    #expect(measurement.communication_seconds > 0)
    #expect(measurement.reduced_bytes < 3 * measurement.reduced_floats)
  }

  @Test func tracesWhatRanksThatSleepExchange() throws {
    let workspace = try Workspace.withImages()
    let run = try bench(
      workspace, "--config", "small.yaml", "--set", "distributed.overlap=true", "--set",
      "optimizer.shard=true", "--ranks", "1,2", "--modes", "weak", "--iterations", "3", "--rounds",
      "1", "--synthetic-compute", "0.05", "--trace", "trace.txt", "--mpirun", mpirun, "--output",
      "results")
    #expect(run.status == 0 && run.errors == "")
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("results/scaling.json").utf8))
    for measurement in try #require(report.series.first).measurements {
      #expect(measurement.firing_rate == nil)
      #expect(measurement.compute_seconds >= 0.05)
    }
    let lines = try workspace.text("trace.txt").split(separator: "\n")
    #expect(lines.contains("# ranks 2") && lines.contains("# iterations 3"))
    for rank in 0...1 {
      let actions = lines.filter { $0.hasPrefix("\(rank) ") }.map { $0.dropFirst(2) }
      #expect(actions.first == "init" && actions.last == "finalize")
      let seconds = actions.filter { $0.hasPrefix("compute ") }.map {
        Double($0.dropFirst("compute ".count))! / 1e9
      }
      #expect(seconds.reduce(0, +) >= 3 * 0.05)
      // With or without overlap: of a network as small as this, gradients are one chunk, which is final last.
      for collective in ["reducescatter", "allgather", "allreduce"] {
        #expect(actions.filter { $0.contains(collective) }.count == 3, "\(collective)")
      }
    }
  }

  /// In training, a rank waits for its batch first.
  @Test func tracesWhatRanksWaitForTheirData() throws {
    let workspace = try Workspace.withImages()
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.max_iterations=1", "--output", "run")
    try #require(training.status == 0)
    let run = try bench(
      workspace, "--checkpoint", "run", "--ranks", "2", "--modes", "strong", "--iterations", "4",
      "--rounds", "1", "--trace", "trace.txt", "--mpirun", mpirun)
    #expect(run.status == 0 && run.errors == "")
    let lines = try workspace.text("trace.txt").split(separator: "\n")
    for rank in 0...1 {
      let actions = lines.filter { $0.hasPrefix("\(rank) ") }.map { $0.split(separator: " ")[1] }
      #expect(actions[1] == "sleep" && actions.filter { $0 == "sleep" }.count == 4)
      #expect(actions.filter { $0 == "allreduce" }.count == 4)
    }
    let both = try bench(workspace, "--checkpoint", "run", "--firing-rate", "0.1")
    #expect(both.status != 0 && both.errors.contains("--firing-rate: with --checkpoint"))
  }

  @Test func comparesWithPredictions() throws {
    let workspace = try Workspace.withImages()
    try workspace.directory.write(
      """
      [{"platform": "fat tree", "mode": "weak", "ranks": 2, "reduced_bytes": 1, "wire": "float32",
        "compute_seconds": 1, "communication_seconds": 1, "wait_seconds": 0}]
      """, to: "predictions.json")
    let run = try bench(
      workspace, "--config", "small.yaml", "--ranks", "2", "--modes", "weak", "--iterations", "2",
      "--rounds", "1", "--check", "predictions.json", "--mpirun", mpirun)
    #expect(run.status == 1 && run.errors.contains("predictions.json has no prediction for"))
  }

  @Test func saysWhatFails() throws {
    let workspace = try Workspace.withImages()
    #expect(try bench(workspace, "--ranks", "0").errors.contains("'0' is not a number of ranks"))
    let run = try bench(workspace, "--config", "small.yaml", "--ranks", "1", "--mpirun", "false")
    #expect(run.status == 1 && run.errors.contains("failed with status 1"))
    // Before any rank starts.
    try workspace.directory.write("notes", to: "notes.txt")
    let trace = try bench(
      workspace, "--config", "small.yaml", "--ranks", "1,2", "--mpirun", "false", "--trace",
      "notes.txt")
    #expect(trace.status == 1 && trace.errors.contains("notes.txt: is there already, and is no"))
  }
}
