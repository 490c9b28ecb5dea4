import Foundation
import TestSupport
import Testing

struct CompareTests {
  private struct Report: Decodable {
    struct Contestant: Decodable {
      struct Run: Decodable {
        let seed, peak_bytes: Int
        let accuracy, best_accuracy, seconds, firing_rate, synaptic_operations: Double
      }

      let name: String
      let runs: [Run]
    }

    let contestants: [Contestant]
  }

  private let workspace: Workspace

  init() throws { workspace = try Workspace.withImages() }

  private func compare(_ arguments: String...) throws -> ProgramRun {
    try workspace.run(
      ["compare", "--config", "small.yaml", "--output", "c", "--set", "method.k=1"] + arguments)
  }

  private func byTwoThreads() throws -> ProgramRun {
    try workspace.run(
      [
        "compare", "--config", "small.yaml", "--output", "c", "--methods", "bptt", "--threads", "2",
        "--set", "training.max_iterations=1",
      ], usesOneThread: false)
  }

  private func report() throws -> Report {
    try JSONDecoder().decode(Report.self, from: Data(try workspace.text("c/comparison.json").utf8))
  }

  @Test func trainsEachAndTellsWhatItReached() throws {
    let first = try compare("--methods", "sltt,sltt-k,rate", "--seeds", "1,2")
    #expect(first.status == 0 && first.errors == "")
    #expect(first.output.contains("[6/6] rate, seed 2"))
    let names = ["rate", "sltt", "sltt-k"]
    #expect(try report().contestants.map(\.name) == names)
    for contestant in try report().contestants {
      #expect(contestant.runs.map(\.seed) == [1, 2])
      for run in contestant.runs {
        // Of 13 images.
        #expect(abs((13 * run.accuracy).rounded() - 13 * run.accuracy) < 1e-9)
        #expect(run.best_accuracy >= run.accuracy && run.seconds > 0 && run.peak_bytes > 1 << 20)
        #expect(run.firing_rate > 0 && run.synaptic_operations > 0)
      }
    }
    let table = try workspace.text("c/comparison.txt")
    #expect(names.allSatisfy { table.contains("\n\($0)  ") } && table.contains(" ± "))
    for plot in ["accuracy-time.svg", "accuracy-memory.svg"] {
      #expect(try workspace.text("c/\(plot)").hasPrefix("<svg"))
    }
    let again = try compare(
      "--methods", "sltt,ottt", "--seeds", "2", "--vary", "method.timesteps=1")
    #expect(again.status == 0)
    let added = try report().contestants
    #expect(added.count == 5 && added.count { $0.name.hasSuffix(",method.timesteps=1") } == 2)
  }

  /// They learn nothing at such a rate.
  @Test func equalSeedsBeginWithEqualWeights() throws {
    let run = try compare(
      "--methods", "sltt,bptt", "--seeds", "1,2", "--set", "optimizer.learning_rate=1e-20")
    #expect(run.status == 0)
    func weights(_ method: String, seed: Int) throws -> [Float] {
      let model = "c/\(method)/seed-\(seed)/checkpoints/latest/model.safetensors"
      return try workspace.tensors(model).sorted { $0.key < $1.key }.flatMap { $0.value }
    }
    let first = try weights("sltt", seed: 1)
    #expect(try relativeDifference(weights("bptt", seed: 1), first) < 1e-6)
    #expect(try relativeDifference(weights("sltt", seed: 2), first) > 0.01)
  }

  /// Runs of earlier versions have the density of convolutions' inputs only, which is their rate where neurons
  /// fire single spikes.
  @Test func countsOperationsOfEarlierRunsAlike() throws {
    #expect(try compare("--methods", "sltt").status == 0)
    let counted = try report().contestants[0].runs[0].synaptic_operations
    let metrics = "c/sltt/seed-1/metrics.jsonl"
    let text = try workspace.text(metrics)
    let earlier = text.replacing(#/, "input_rates": {[^}]*}/#, with: "")
    #expect(earlier != text)
    try workspace.directory.write(earlier, to: metrics)
    #expect(try compare("--methods", "sltt").status == 0)
    let estimated = try report().contestants[0].runs[0].synaptic_operations
    #expect(abs(estimated / counted - 1) < 1e-5)
  }

  @Test func whatIsThereIsNotDoneAgain() throws {
    // What was broken off goes on.
    let begun = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.seed=1", "--set",
      "training.max_iterations=2", "--output", "c/sltt/seed-1")
    #expect(begun.status == 0)
    let first = try compare("--methods", "sltt")
    #expect(first.status == 0 && first.output.contains("resuming after 2 iterations"))
    let second = try compare("--methods", "sltt")
    #expect(second.status == 0 && second.output.contains("[1/1] sltt, seed 1: complete"))
    #expect(!second.output.contains("epoch 1/2"))
    // But not under another configuration.
    let other = try compare("--methods", "sltt", "--set", "optimizer.learning_rate=0.01")
    #expect(other.status == 1)
    #expect(
      other.messages.first?.contains(
        "c/sltt/seed-1 holds a run with optimizer.learning_rate 0.1, not 0.01: name another")
        == true)
  }

  /// A run never gets shorter, a result that is lost is told, and rows say how they differ.
  @Test func theTableTellsWhatIsNotAlike() throws {
    #expect(try compare("--methods", "sltt").status == 0)
    let shorter = try compare("--methods", "sltt", "--set", "training.max_iterations=3")
    #expect(shorter.status == 1)
    #expect(shorter.messages.first?.contains("max_iterations not set, more than 3") == true)

    let other = try compare(
      "--methods", "ottt", "--seeds", "1,2", "--set", "neuron.tau=2", "--set",
      "training.max_iterations=3")
    #expect(other.status == 0)
    #expect(
      other.output.contains(
        "\nsltt also differs from ottt in neuron.tau 1.1, not 2.0; training.max_iterations not set,"
          + " not 3"))
    let longer = try compare("--methods", "ottt", "--seeds", "2", "--set", "neuron.tau=2")
    #expect(longer.status == 0 && longer.output.contains("  3 to 6  "))

    // A mean of different networks would mean nothing.
    let wider = try compare("--methods", "sltt", "--seeds", "2", "--set", "model.width=5")
    #expect(wider.status == 1)
    #expect(wider.messages.first?.contains("c/sltt/seed-1 holds a run with model.width") == true)

    // Other resources need another time.
    let slower = try byTwoThreads()
    #expect(slower.status == 0)
    #expect(
      slower.output.contains(
        #/ottt also differs from bptt in .*what computed it: 1 rank x 1 thread, .*, not 1 rank x 2 threads,/#
      ))

    try workspace.directory.write("", to: "c/ottt/seed-2/metrics.jsonl")
    let without = try byTwoThreads()
    #expect(without.output.contains("\nottt, seed 2 is not complete and so not in the table"))

    try workspace.directory.write("", to: "c/sltt/seed-1/metrics.jsonl")
    let lost = try compare("--methods", "sltt")
    #expect(lost.status == 1)
    #expect(lost.errors.contains("c/sltt/seed-1 is complete, but its metrics.jsonl does not tell"))
  }

  /// A list is one value, and what only SLTT-K knows does not multiply the others.
  @Test func variesListsAndKeysOfOneMethod() throws {
    let run = try compare(
      "--methods", "sltt,sltt-k", "--vary", "method.k=1,2", "--vary",
      "loss.step_weights=[1, 1, 0, 2],[1, 1, 1, 1]", "--set", "method.timesteps=4", "--set",
      "training.max_iterations=1")
    #expect(run.status == 0 && run.errors == "")
    let weights = ["[1, 1, 0, 2]", "[1, 1, 1, 1]"].map { "loss.step_weights=\($0)" }
    #expect(
      try report().contestants.map(\.name)
        == weights.map { "sltt,\($0)" }
        + ["method.k=1", "method.k=2"].flatMap { k in weights.map { "sltt-k,\(k),\($0)" } })
  }

  @Test func leavesNoFilesWhereItIsStopped() throws {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let run = try ProgramRun(
      [
        "bash", "-c",
        """
        '\(program)' compare --config small.yaml --methods sltt --set training.epochs=1000000 \
          --threads 1 --output c >log 2>&1 &
        until grep -q interval c/sltt/seed-1/metrics.jsonl 2>/dev/null; do
          kill -0 $! || exit 3
          sleep 0.05
        done
        kill -TERM $!
        wait $!
        echo "status $?"
        ls -A c
        cat log
        """,
      ], in: workspace.directory.path)
    #expect(run.value("status") == "75", "\(run.output)")
    #expect(!run.output.contains(".sltt-dist-"))
    #expect(run.output.contains("the comparison is not complete: the same command goes on with it"))
  }

  @Test func mistakesAreToldBeforeTheFirstRun() throws {
    for (arguments, problem) in [
      (["--methods", "sltt,oops"], "'oops' is not one of sltt, sltt-k, bptt, ottt, rate"),
      (
        ["--methods", "sltt", "--vary", "neuron.tau=1.1,,2"],
        "neuron.tau: a value to vary by is empty"
      ),
      (["--methods", "sltt", "--vary", "neuron.tau"], "expected KEY=VALUE,VALUE"),
      (["--methods", "sltt", "--vary", "neuron.tua=1,2"], "unknown key 'neuron.tua'"),
      (["--methods", "sltt,rate", "--set", "neuron.kind=clif"], "rate is not defined for"),
      (
        ["--methods", "rate", "--levels", "1,4", "--set", "neuron.reset=hard"],
        "rate,neuron.levels=4: --set neuron.levels=4: neuron.levels 4 need"
      ),
      (
        ["--methods", "sltt", "--vary", "neuron.kind=lif,clif", "--set", "neuron.reset=hard"],
        "sltt,neuron.kind=clif: "
      ),
      (["--methods", "sltt", "--vary", "method.name=rate"], "give its values as --methods"),
      (
        ["--methods", "sltt", "--levels", "1,2", "--vary", "neuron.levels=1"],
        "neuron.levels varies twice"
      ),
      (["--methods", "sltt", "--levels", "16"], "'16' is not a number of levels from 1 to 15"),
      (["--methods", "sltt", "--vary", "data.path=a/b"], "a value with / cannot vary"),
      (["--methods", "sltt,sltt"], "sltt is in the list twice: leave one out"),
      (["--methods", "sltt", "--seeds", "1,2,1"], "1 is in the list twice: leave one out"),
      (
        ["--methods", "sltt", "--vary", "neuron.tau=2,2"],
        "neuron.tau: 2 is in the list twice: leave one out"
      ),
    ] {
      let run = try workspace.run(
        ["compare", "--config", "small.yaml", "--output", "c"] + arguments)
      #expect(run.status != 0 && run.errors.contains(problem), "\(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: workspace.file("c")))
  }
}
