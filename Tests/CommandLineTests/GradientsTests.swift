import Foundation
import SafeTensors
import TestSupport
import Testing

struct GradientsTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace()
  }

  private func writeConfiguration(_ reference: ReferenceCase) throws {
    let settings = reference.settings
    let k = settings.method == "sltt-k" ? "\(settings.chosen_timesteps.count)" : "null"
    try workspace.directory.write(
      """
      model:
        {family: \(reference.family), blocks: \(reference.blocks), width: \(settings.width),
        classes: \(settings.classes), input_channels: \(settings.channels),
        normalization: \(settings.normalization ?? "batch"),
        stem: \(reference.family == "sew-resnet" ? settings.stem! : "null")}
      neuron:
        {kind: \(settings.neuron ?? "lif"), tau: \(settings.tau), surrogate: \(settings.surrogate),
        threshold_rule: \(settings.threshold ?? "fixed"), reset: \(settings.reset ?? "soft"),
        detach_reset: \(settings.detach_reset ?? false), levels: \(settings.levels ?? 1),
        firing: \(settings.firing ?? "floor")}
      method: {name: \(settings.method), timesteps: \(settings.timesteps), k: \(k)}
      loss:
        {mse_weight: \(settings.mse_weight), mse_target: \(settings.mse_target),
        mse_mean: \(settings.mse_mean)}
      data: {image_size: \(settings.size)}

      """, to: "case.yaml")
  }

  private func run(
    weights: String, batch: String, _ timesteps: String? = nil, output: String = "out.safetensors"
  ) throws -> ProgramRun {
    let timesteps = timesteps.map { ["--trained-timesteps", $0] } ?? []
    return try workspace.run(
      ["gradients", "--config", "case.yaml", "--weights", weights, "--batch", batch]
        + timesteps + ["--output", output])
  }

  private func run(_ reference: ReferenceCase, _ timesteps: String? = nil) throws -> ProgramRun {
    try run(weights: reference.file.path, batch: reference.file.path, timesteps)
  }

  @Test(arguments: ReferenceCase.all) func reproducesTheReference(_ name: String) throws {
    let reference = try ReferenceCase(name)
    try writeConfiguration(reference)
    let chosen = reference.settings.chosen_timesteps.map(String.init).joined(separator: ",")
    let run = try run(reference, reference.settings.method == "sltt-k" ? chosen : nil)
    #expect(run.status == 0 && run.errors == "")
    let output = try SafeTensorsFile(contentsOf: workspace.file("out.safetensors"))
    let expected = reference.file.names.filter {
      ["logits", "loss", "firing_rate"].contains($0) || $0.hasPrefix("grad.")
        || $0.hasPrefix("buffer_after.")
    }
    #expect(Set(output.names) == Set(expected))
    for tensor in expected {
      #expect(try output.elementType(of: tensor) == .float32)
      #expect(try output.shape(of: tensor) == reference.file.shape(of: tensor), "\(tensor)")
      let difference = try reference.relativeDifference(output.floats(tensor), from: tensor)
      #expect(difference < 1e-4, "\(tensor)")
    }
  }

  /// Parameters under their plain names, as in a checkpoint; frames and labels in a file of their own.
  @Test func takesWeightsUnderTheirPlainNames() throws {
    let reference = try ReferenceCase("nfresnet.sltt")
    try writeConfiguration(reference)
    let file = reference.file
    let parameters = file.names.filter { $0.hasPrefix("param.") }
    try SafeTensorsWriter.write(
      parameters.map { name in
        .floats(
          String(name.dropFirst("param.".count)), shape: try! file.shape(of: name),
          try file.floats(name))
      }, to: workspace.file("weights.safetensors"))
    try SafeTensorsWriter.write(
      [
        .floats("frames", shape: try file.shape(of: "frames"), try file.floats("frames")),
        .integers("labels", shape: try file.shape(of: "labels"), try file.integers("labels")),
      ], to: workspace.file("batch.safetensors"))
    let run = try run(weights: "weights.safetensors", batch: "batch.safetensors")
    #expect(run.status == 0 && run.errors == "")
    let output = try SafeTensorsFile(contentsOf: workspace.file("out.safetensors"))
    #expect(try reference.relativeDifference(output.floats("logits"), from: "logits") < 1e-4)
    let grad = "grad.fc.weight"
    #expect(try reference.relativeDifference(output.floats(grad), from: grad) < 1e-4)
  }

  @Test func refusesTimestepsThatDoNotFit() throws {
    let reference = try ReferenceCase("nfresnet.sltt-k")
    try writeConfiguration(reference)
    let (count, last) = (
      reference.settings.chosen_timesteps.count, reference.settings.timesteps
    )
    try #require(count == 2)
    for wrong in ["0", "0,1,2", "0,\(last)"] {
      let run = try run(reference, wrong)
      #expect(run.status == 1 && run.messages.count == 1, "\(wrong)")
      #expect(
        run.messages.first?.contains(
          "must name \(count) different time steps below \(last), for method.name sltt-k") == true)
    }
    let run = try run(reference, "0,x")
    #expect(run.status == 64 && run.errors.contains("'x' is not a number of time steps from 0"))

    let twice = try self.run(reference, "1,1")
    #expect(twice.status == 64 && twice.errors.contains("1 is in the list twice: leave one out"))

    try writeConfiguration(try ReferenceCase("nfresnet.sltt"))
    #expect(try self.run(reference, "0,1").status == 1)
  }

  @Test func refusesFilesThatDoNotFit() throws {
    let reference = try ReferenceCase("nfresnet.sltt")
    let other = try ReferenceCase("vgg11.sltt").file.path
    let path = reference.file.path
    try writeConfiguration(reference)
    let weights = try run(weights: other, batch: path)
    #expect(weights.status == 1)
    #expect(
      weights.messages.first?.hasPrefix("\(other) does not hold this network: it lacks") == true)
    let batch = try run(weights: path, batch: other)
    #expect(batch.status == 1)
    #expect(batch.messages.first?.hasPrefix("\(other) holds frames [") == true)
    let missing = try run(weights: path, batch: "none.safetensors")
    #expect(
      missing.messages
        == ["none.safetensors: there is no such file or directory. Check the path."])
    let unwritable = try run(weights: path, batch: path, output: "none/out.safetensors")
    #expect(unwritable.status == 1)
    #expect(unwritable.messages.first?.hasPrefix("none/out.safetensors: cannot") == true)

    try SafeTensorsWriter.write(
      [.floats("frames", shape: [1, 1, 1, 1, 1], [0])], to: workspace.file("unlabelled.safetensors")
    )
    let unlabelled = try run(weights: path, batch: "unlabelled.safetensors")
    #expect(
      unlabelled.messages == ["unlabelled.safetensors: no tensor 'labels'; it has 'frames'"])
  }

  @Test func runsOnOneRankOnly() throws {
    let reference = try ReferenceCase("nfresnet.sltt")
    try writeConfiguration(reference)
    let path = reference.file.path
    let run = try workspace.run(
      "gradients", "--config", "case.yaml", "--weights", path, "--batch", path,
      "--output", "out.safetensors", ranks: 2)
    #expect(run.status == 1)
    #expect(run.messages == ["gradients runs on one rank: start it without mpirun"])
  }

  @Test func comparesLearningRulesOnTheConfiguredData() throws {
    struct Report: Decodable {
      struct Row: Decodable {
        struct Measured: Decodable { let mean, deviation: Double }
        let name: String
        let cosine, norm_ratio: Measured
      }
      let batches, samples: Int
      let parameters: [Row]
      let all: Row
    }
    let workspace = try Workspace.withImages()
    let training = try workspace.run("train", "--config", "small.yaml", "--output", "run")
    #expect(training.status == 0)
    let run = try workspace.run(
      "gradients", "--checkpoint", "run", "--compare", "bptt", "--batches", "2", "--json", "g.json")
    #expect(run.status == 0 && run.errors == "")
    #expect(run.output.contains("\nsltt beside bptt, weights of "))
    #expect(run.output.contains("/run/checkpoints/iteration-000000006/model.safetensors\n"))
    #expect(run.output.contains("\n20 samples in 2 batches of images/train\n"))
    let report = try JSONDecoder().decode(
      Report.self, from: Data(try workspace.text("g.json").utf8))
    #expect(report.batches == 2 && report.samples == 20)
    #expect(report.parameters.first?.name == "conv1.weight")
    // What flows through the membrane potential is little where tau is 1.1.
    #expect(report.all.cosine.mean > 0.9 && report.all.cosine.mean < 1)
    let cells = try #require(run.value("all ")).split(separator: " ").map { String($0) }
    #expect(cells[1] == String(format: "%.4f", report.all.cosine.mean) && cells[2] == "±")
    #expect(cells[4] == String(format: "%.4f", report.all.norm_ratio.mean))
    let initial = try workspace.run("gradients", "--config", "small.yaml", "--compare", "ottt")
    #expect(initial.status == 0)
    #expect(initial.output.contains("\nsltt beside ottt, initial weights\n"))
  }

  @Test func saysWhichOptionsBelongTogether() throws {
    for (arguments, problem) in [
      ([], "--weights is missing: give --weights, --batch and --output, or a learning rule"),
      (["--weights", "w", "--batch", "b"], "--output is missing"),
      (["--batches", "2"], "--batches is for --compare: name a learning rule"),
      (["--compare", "bptt", "--weights", "w"], "--weights is not for --compare, which takes the"),
      (["--compare", "bptt", "--trained-timesteps", "1"], "--trained-timesteps is not for"),
      (["--compare", "bptt", "--batches", "0"], "--batches 0: must be from 1 to 1000000"),
      (["--compare", "btpt"], "The value 'btpt' is invalid for '--compare <compare>'"),
    ] {
      let run = try workspace.run(["gradients"] + arguments)
      #expect(run.status == 64 && run.errors.contains(problem), "\(run.errors)")
    }
    let same = try workspace.run("gradients", "--compare", "sltt")
    #expect(same.status == 1)
    #expect(same.messages.first?.contains("--compare sltt is the configured method itself") == true)
  }
}
