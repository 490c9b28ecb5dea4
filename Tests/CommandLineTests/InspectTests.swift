import Foundation
import TestSupport
import Testing

struct InspectTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace()
  }

  /// The numbers of parameters of the published PyTorch models.
  @Test(arguments: [
    ("resnet18", 8, 7, "176,575"), ("resnet34", 8, 7, "335,791"), ("nf-resnet34", 8, 7, "335,935"),
    ("nf-resnet50", 8, 7, "375,967"), ("nf-resnet101", 8, 7, "678,448"), ("vgg11", 8, 7, "167,207"),
    ("vgg13", 8, 7, "170,159"), ("vgg16", 8, 7, "253,583"), ("vgg19", 8, 7, "337,007"),
    ("resnet18", 64, 10, "11,176,906"), ("nf-resnet50", 64, 1000, "25,557,048"),
    ("vgg11", 64, 10, "9,476,874"),
  ])
  func countsTheParametersOfEveryArchitecture(
    name: String, width: Int, classes: Int, expected: String
  ) throws {
    let run = try workspace.run(
      "inspect", "--set", "model.architecture=\(name)", "--set", "model.width=\(width)",
      "--set", "model.classes=\(classes)", "--set", "model.input_channels=3",
      "--set", "data.image_size=32", usesOneThread: false)
    #expect(run.status == 0 && run.errors == "")
    #expect(run.value("total ")?.split(separator: " ").first.map { String($0) } == expected)
  }

  @Test func showsEveryLayerAndTheMemoryOfEveryMethod() throws {
    let run = try workspace.run(
      "inspect", "--set", "method.timesteps=8", "--set", "training.global_batch=100",
      usesOneThread: false)
    #expect(run.status == 0)
    let layers = run.output.split(separator: "\n").filter { $0.hasPrefix("layer1.0.") }
    #expect(layers.contains { $0.contains("conv 3x3") && $0.contains("28x28x16") })
    #expect(run.value("linear ")?.hasPrefix("linear") == true)
    // Tape, state, parameters, in all, MACs.
    let rows = try ["sltt ", "sltt-k ", "bptt ", "ottt ", "rate "].map { name in
      try #require(run.value(name)).split(separator: " ").map { String($0) }
    }
    #expect(rows.allSatisfy { $0.count == 9 })
    let tapes = rows.map { Double($0[0])! }
    #expect(rows.allSatisfy { $0[1] == "MiB" })
    #expect(tapes[0] == tapes[1])
    // But for the stem's output, which all time steps of an image share.
    #expect((7..<8).contains(tapes[2] / tapes[0]))
    // Eight passes forward, or nine; a backward pass has two of that size.
    let macs = try rows.map { try #require(Int($0[8].replacing(",", with: ""))) }
    #expect(macs.map { 24 * $0 / macs[0] } == [24, 10, 24, 24, 11])
    #expect(run.output.contains("T = 8, batch 100"))
  }

  @Test func showsOperationsAtAFiringRate() throws {
    func total(_ rate: String) throws -> [Int] {
      let run = try workspace.run("inspect", "--firing-rate", rate, usesOneThread: false)
      #expect(run.status == 0 && run.errors == "")
      let rows = run.output.split(separator: "\n").filter { $0.hasPrefix("total ") }
      try #require(rows.count == 2)
      return rows[1].split(separator: " ").map { Int($0.replacing(",", with: "")) ?? 0 }
    }
    // MACs, ACs, their energy, and the MACs of an ANN.
    let (few, many) = (try total("0.1"), try total("0.2"))
    #expect(few[1] == many[1] && abs(2 * few[2] - many[2]) <= 1 && few[5] == many[5])
    #expect(few[1] > 0 && few[2] > 0 && few[1] < few[5])
    let most = try workspace.run("inspect", "--firing-rate", "1.5", usesOneThread: false)
    #expect(most.messages.first?.contains("--firing-rate 1.5: must be from 0.0 to 1.0") == true)
    let levels = try workspace.run(
      "inspect", "--firing-rate", "1.5", "--set", "neuron.levels=2", usesOneThread: false)
    #expect(levels.status == 0)
    let measured = try workspace.run(
      "inspect", "--checkpoint", "run", "--firing-rate", "0.1", usesOneThread: false)
    #expect(measured.status == 64 && measured.errors.contains("--firing-rate is for a network"))
  }

  /// What it prints is a configuration of the same network.
  @Test func writesANetworkOutLayerByLayer() throws {
    let options = [
      "--set", "model.architecture=vgg11", "--set", "model.width=8", "--set", "data.image_size=32",
    ]
    let written = try workspace.run(["inspect", "--as-yaml"] + options, usesOneThread: false)
    #expect(written.status == 0 && written.errors == "")
    try workspace.directory.write(written.output, to: "own.yaml")
    func layers(_ arguments: [String]) throws -> [Substring] {
      let run = try workspace.run(
        ["inspect", "--set", "model.classes=7"] + arguments, usesOneThread: false)
      #expect(run.status == 0)
      return run.output.split(separator: "\n").filter { $0.contains("layer") }
    }
    let own = try layers(["--config", "own.yaml"])
    #expect(try own == layers(options) && own.count > 20)
    let both = try workspace.run("inspect", "--as-yaml", "--checkpoint", "run")
    #expect(both.status == 64 && both.errors.contains("--as-yaml shows a configuration"))
  }

  @Test func aCheckpointThatIsNotThereIsSaidToBeMissing() throws {
    let run = try workspace.run("inspect", "--checkpoint", "none", usesOneThread: false)
    #expect(run.status == 1)
    #expect(
      run.messages == [
        "none does not exist: name a run, one of its checkpoints, or a model's file"
      ])
    try workspace.directory.write("", to: "file")
    let file = try workspace.run("inspect", "--checkpoint", "file", usesOneThread: false)
    #expect(
      file.status == 1 && file.messages.first?.contains("not a valid safetensors file") == true)
  }

  @Test func takesTheClassesFromTheConfigurationOrTheData() throws {
    let run = try workspace.run("inspect", usesOneThread: false)
    #expect(run.output.hasPrefix("resnet [1, 1, 1], width 16, input 28x28x1, 10 classes;"))
    let six = try workspace.run("inspect", "--set", "model.classes=6", usesOneThread: false)
    #expect(six.output.contains(", 6 classes;"))
  }

  @Test func aCheckpointHasTheFiringRatesThatChooseItsKernels() throws {
    let workspace = try Workspace.withImages()
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--kernels", "dense")
    #expect(training.status == 0 && training.errors == "")
    // Said once, not every epoch.
    let summary = "kernels: forward and weight gradient onednn in 6 layers\n"
    #expect(training.output.components(separatedBy: summary).count == 2)
    for (kernels, expected) in [("dense", "onednn"), ("events", "events")] {
      let run = try workspace.run(
        "inspect", "--checkpoint", "run", "--kernels", kernels, usesOneThread: false)
      #expect(run.status == 0 && run.errors == "")
      #expect(run.value("conv1 ")?.hasPrefix("not spikes") == true)
      let cells = try #require(run.value("layer1.0.conv2 ")).split(separator: " ")
      #expect(try #require(Double(cells[0])) > 0 && cells[1] == "%")
      #expect(cells[2...].map { String($0) } == [expected, "onednn", expected])
      #expect(run.output.contains("\ntotal ") && run.output.contains("MACs as an ANN"))
    }
    let metrics = try workspace.text("run/metrics.jsonl").split(separator: "\n")
    #expect(metrics.count { $0.contains("\"convolutions\": {\"conv1\": ") } == 2)
    #expect(metrics.count { $0.contains("\"input_rates\": {\"layer1.0.conv1\": ") } == 2)
  }
}
