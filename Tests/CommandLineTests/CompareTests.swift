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
    // Equal seeds begin with equal weights, whatever the method; so T = 1 tells methods apart by nothing.
    let again = try compare(
      "--methods", "sltt,ottt", "--seeds", "2", "--vary", "method.timesteps=1")
    #expect(again.status == 0)
    let added = try report().contestants
    #expect(added.count == 5)
    let ofOneStep = added.filter { $0.name.hasSuffix(",method.timesteps=1") }
    #expect(Set(ofOneStep.map { $0.runs[0].accuracy }).count == 1 && ofOneStep.count == 2)
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

  @Test func mistakesAreToldBeforeTheFirstRun() throws {
    for (arguments, problem) in [
      (["--methods", "sltt,oops"], "'oops' is not one of sltt, sltt-k, bptt, ottt, rate"),
      (["--methods", "sltt", "--vary", "neuron.tau"], "expected KEY=VALUE,VALUE"),
      (["--methods", "sltt", "--vary", "neuron.tua=1,2"], "unknown key 'neuron.tua'"),
      (["--methods", "sltt,rate", "--set", "neuron.kind=clif"], "rate is not defined for"),
    ] {
      let run = try workspace.run(
        ["compare", "--config", "small.yaml", "--output", "c"] + arguments)
      #expect(run.status != 0 && run.errors.contains(problem), "\(run.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: workspace.file("c")))
  }
}
