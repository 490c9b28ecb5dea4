import Foundation
import NIR
import SafeTensors
import TestSupport
import Testing

/// State dicts as PyTorch has them: what `import` and `export` make of them.
struct StateDictTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
    try #require(
      try workspace.run(
        "train", "--config", "small.yaml", "--set", "model.family=resnet", "--set",
        "model.blocks=[1, 1]", "--output", "run"
      ).status == 0)
  }

  private func runAlone(_ arguments: String...) throws -> ProgramRun {
    try workspace.run(arguments, usesOneThread: false)
  }

  @Test func whatIsExportedIsImportedAgain() throws {
    let exported = try runAlone("export", "--checkpoint", "run", "--output", "dict.safetensors")
    #expect(exported.status == 0 && exported.output.hasPrefix("dict.safetensors: "))
    let file = try SafeTensorsFile(contentsOf: workspace.file("dict.safetensors"))
    #expect(
      Set(file.metadata.keys) == ["format", "configuration", "classes", "model_card"])
    #expect(file.metadata["format"] == "pt")
    let tensors = try workspace.tensors("run/checkpoints/best/model.safetensors")
    #expect(try workspace.tensors("dict.safetensors") == tensors)

    // All that its use needs is in the file.
    let found = try workspace.run("predict", "images/val", "--checkpoint", "dict.safetensors")
    let expected = try workspace.run("predict", "images/val", "--checkpoint", "run")
    #expect(found.status == 0 && found.output == expected.output)
    #expect(found.output.split(separator: "\n").count == 14)
    let card = try runAlone("inspect", "--checkpoint", "dict.safetensors")
    #expect(card.status == 0 && card.value("classes") == "3: 0, 1, 2")
    let accuracy = try workspace.run("evaluate", "--checkpoint", "run").value(
      "validation accuracy ")
    #expect(card.value("validation accuracy ") == accuracy.map { $0 + " of 13 samples" })

    // As DataParallel saves it, with what PyTorch's batch norm counts.
    try SafeTensorsWriter.write(
      file.names.map { name in
        .floats("module.\(name)", shape: try file.shape(of: name), tensors[name]!)
      } + [.integers("module.bn1.num_batches_tracked", shape: [], [6])],
      to: workspace.file("wrapped.safetensors"))
    let imported = try runAlone(
      "import", "--config", "run/config.yaml", "--state-dict", "wrapped.safetensors", "--output",
      "model.safetensors")
    #expect(imported.status == 0 && imported.output.contains("the prefix 'module.'"))
    let accuracies = try ["run", "model.safetensors"].map {
      try workspace.run("evaluate", "--checkpoint", $0).value("validation accuracy ")
    }
    #expect(accuracies[0] != nil && accuracies[0] == accuracies[1])
  }

  /// With SpikingJelly's names, and what PyTorch's batch norms count.
  @Test func aSEWResNetIsImported() throws {
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--set", "model.family=sew-resnet", "--set",
      "model.blocks=[1, 1]", "--output", "sew")
    try #require(training.status == 0)
    let name = "sew/checkpoints/best/model.safetensors"
    let file = try SafeTensorsFile(contentsOf: workspace.file(name))
    let tensors = try workspace.tensors(name)
    let norms = file.names.filter { $0.hasSuffix("running_mean") }
    #expect(norms.contains("layer2.0.downsample.1.running_mean"))
    try SafeTensorsWriter.write(
      file.names.map { .floats($0, shape: try file.shape(of: $0), tensors[$0]!) }
        + norms.map {
          .integers(
            $0.replacing("running_mean", with: "num_batches_tracked"), shape: [], [6])
        },
      to: workspace.file("published.safetensors"))
    let imported = try runAlone(
      "import", "--config", "sew/config.yaml", "--state-dict", "published.safetensors", "--output",
      "model.safetensors")
    #expect(imported.status == 0, "\(imported.errors)")
    #expect(try workspace.tensors("model.safetensors") == tensors)
    let accuracies = try ["sew", "model.safetensors"].map {
      try workspace.run("evaluate", "--checkpoint", $0).value("validation accuracy ")
    }
    #expect(accuracies[0] != nil && accuracies[0] == accuracies[1])
  }

  /// As a published training program saves it under DataParallel, with its optimizer and more.
  @Test func aCheckpointOfPyTorchIsImportedAndBegunWith() throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../PyTorchFilesTests/Fixtures").standardized
    try workspace.directory.write(
      """
      model:
        input_channels: 1
        layers:
          - convolution: {name: conv, channels: 2, kernel: 4, stride: 4, padding: 0}
          - batch_norm: {name: bn}
          - neuron
          - linear: {name: fc}
      data: {path: images, image_size: 16}

      """, to: "own.yaml")
    let imported = try runAlone(
      "import", "--config", "own.yaml", "--state-dict", fixtures.path + "/checkpoint.pth",
      "--output", "model.safetensors")
    #expect(imported.status == 0 && imported.output.contains("the prefix 'module.'"))
    let tensors = try workspace.tensors("model.safetensors")
    #expect(tensors["conv.weight"] == (0..<32).map { Float($0) / 8 })
    #expect(tensors["fc.weight"] == (0..<96).map { Float($0) / 8 })
    #expect(tensors["bn.running_var"]?.count == 2)
    #expect(try workspace.run("evaluate", "--checkpoint", "model.safetensors").status == 0)

    let begun = try workspace.run(
      "train", "--config", "own.yaml", "--init-from", fixtures.path + "/checkpoint.pth", "--set",
      "training.max_iterations=1", "--set", "optimizer.learning_rate=1e-20", "--output", "begun")
    #expect(begun.status == 0 && begun.output.contains("weights of "), "\(begun.errors)")
    let weights = try [
      workspace.tensors("begun/checkpoints/latest/model.safetensors"), tensors,
    ].map { $0.filter { !$0.key.contains("running") } }
    #expect(relativeDifference(weights[0], weights[1]) < 1e-6)

    let refused = try runAlone(
      "import", "--config", "own.yaml", "--state-dict", fixtures.path + "/namespace.pth",
      "--output", "other.safetensors")
    #expect(refused.status == 1 && refused.errors.contains("wants argparse.Namespace"))
    #expect(!FileManager.default.fileExists(atPath: workspace.file("other.safetensors")))
  }

  @Test(arguments: [("--half", ElementType.float16), ("--quantize=int8", .int8)])
  func smallerWeightsAreEvaluatedAndImported(option: String, type: ElementType) throws {
    let exported = try runAlone(
      "export", "--checkpoint", "run", option, "--output", "small.safetensors")
    #expect(exported.status == 0, "\(exported.errors)")
    let file = try SafeTensorsFile(contentsOf: workspace.file("small.safetensors"))
    #expect(try file.elementType(of: "conv1.weight") == type)
    #expect(try file.elementType(of: "bn1.running_var") == .float32)
    let evaluated = try workspace.run("evaluate", "--checkpoint", "small.safetensors")
    #expect(evaluated.status == 0 && evaluated.value("validation accuracy ") != nil)

    let imported = try runAlone(
      "import", "--config", "run/config.yaml", "--state-dict", "small.safetensors", "--output",
      "model.safetensors")
    #expect(imported.status == 0, "\(imported.errors)")
    let before = try workspace.tensors("run/checkpoints/best/model.safetensors")
    let after = try workspace.tensors("model.safetensors")
    #expect(before.keys == after.keys && before != after)
    #expect(relativeDifference(after, before) < (type == .int8 ? 1e-2 : 1e-3))
  }

  @Test(.enabled(if: (try? NIRFile.requireLibrary()) != nil, "no libhdf5"))
  func aGraphIsExportedWhereNeuronsResetHard() throws {
    let soft = try runAlone(
      "export", "--checkpoint", "run", "--format", "nir", "--output", "network.nir")
    #expect(soft.status == 1)
    #expect(soft.messages.first?.hasPrefix("layer 'layer1.0.relu1' has") == true)
    #expect(!FileManager.default.fileExists(atPath: workspace.file("network.nir")))
    let trained = try workspace.run(
      "train", "--config", "run/config.yaml", "--set", "neuron.reset=hard", "--output", "hard")
    try #require(trained.status == 0)
    for _ in 0..<2 {
      let hard = try runAlone(
        "export", "--checkpoint", "hard", "--format", "nir", "--output", "network.nir")
      #expect(hard.status == 0 && hard.output.hasPrefix("network.nir: "), "\(hard.errors)")
    }
    let bytes = try Data(contentsOf: URL(fileURLWithPath: workspace.file("network.nir")))
    #expect(bytes.starts(with: [0x89] + Array("HDF".utf8)))
    let small = try runAlone(
      "export", "--checkpoint", "hard", "--format", "nir", "--half", "--output", "other.nir")
    #expect(small.status == 64)
  }

  /// Its two channels follow from the data in training, which need not be at hand later.
  @Test(.enabled(if: (try? NIRFile.requireLibrary()) != nil, "no libhdf5"))
  func aGraphOfANetworkForEventsNeedsNoData() throws {
    try workspace.writeRecordings(to: "events")
    let trained = try workspace.run(
      "train", "--data", "events", "--set", "data.image_size=17", "--set", "model.family=resnet",
      "--set", "model.blocks=[1]", "--set", "model.width=4", "--set", "method.timesteps=2", "--set",
      "training.epochs=1", "--set", "training.global_batch=4", "--set", "neuron.reset=hard",
      "--output", "recorded")
    try #require(trained.status == 0, "\(trained.errors)")
    try FileManager.default.removeItem(atPath: workspace.file("events"))
    let graph = try runAlone(
      "export", "--checkpoint", "recorded", "--format", "nir", "--output", "network.nir")
    #expect(graph.status == 0, "\(graph.errors)")
  }

  /// An output that is something else stays as it is.
  @Test(arguments: ["run/config.yaml", "run/checkpoints/latest/model.safetensors", "run"])
  func nothingButSafetensorsIsReplaced(output: String) throws {
    let files = ["run/config.yaml", "run/checkpoints/latest/model.safetensors"]
    let before = try files.map { try Data(contentsOf: URL(fileURLWithPath: workspace.file($0))) }
    #expect(
      try runAlone("export", "--checkpoint", "run", "--output", "dict.safetensors").status == 0)
    let exported = try runAlone("export", "--checkpoint", "run", "--output", output)
    let imported = try runAlone(
      "import", "--config", "run/config.yaml", "--state-dict", "dict.safetensors", "--output",
      output)
    for run in [exported, imported] {
      #expect(run.status == 1 && run.messages.first?.contains("Name another file") == true)
    }
    #expect(
      try before == files.map { try Data(contentsOf: URL(fileURLWithPath: workspace.file($0))) })
    #expect(
      try runAlone("export", "--checkpoint", "run", "--output", "dict.safetensors").status == 0)
  }

  @Test func anotherNetworkIsNotImportedInPart() throws {
    #expect(
      try runAlone("export", "--checkpoint", "run", "--output", "dict.safetensors").status == 0)
    for (setting, problem) in [
      ("model.blocks=[1]", "holds another network: the configured one has no place for"),
      ("model.blocks=[1, 2]", "does not hold this network: it lacks"),
      ("model.width=3", "has shape"),
    ] {
      let run = try runAlone(
        "import", "--config", "run/config.yaml", "--set", setting,
        "--state-dict", "dict.safetensors", "--output", "model.safetensors")
      #expect(run.status == 1 && run.messages.count == 1)
      #expect(run.messages.first?.contains(problem) == true, "\(run.errors)")
      #expect(!FileManager.default.fileExists(atPath: workspace.file("model.safetensors")))
    }
  }

  @Test func numbersThatNoNetworkCanHaveAreRefused() throws {
    #expect(
      try runAlone("export", "--checkpoint", "run", "--output", "dict.safetensors").status == 0)
    let file = try SafeTensorsFile(contentsOf: workspace.file("dict.safetensors"))
    for (name, value, found) in [
      ("linear.weight", Float.nan, "nan"), ("conv1.weight", -.infinity, "-inf"),
      ("bn1.running_var", -0.5, "-0.5"),
    ] {
      try SafeTensorsWriter.write(
        file.names.map { tensor in
          var values = try file.floats(tensor)
          if tensor == name { values[1] = value }
          return .floats(tensor, shape: try file.shape(of: tensor), values)
        }, to: workspace.file("broken.safetensors"))
      let problem = "broken.safetensors: tensor '\(name)' holds \(found) (element 1 from 0)"
      let imported = try runAlone(
        "import", "--config", "run/config.yaml", "--state-dict", "broken.safetensors", "--output",
        "model.safetensors")
      #expect(imported.status == 1 && imported.messages.first?.hasPrefix(problem) == true)
      #expect(!FileManager.default.fileExists(atPath: workspace.file("model.safetensors")))
      let begun = try workspace.run(
        "train", "--config", "run/config.yaml", "--init-from", "broken.safetensors", "--output",
        "other")
      #expect(begun.status == 1 && begun.messages.first?.hasPrefix(problem) == true)
    }
  }

  @Test func showsWhatIsInACheckpoint() throws {
    let run = try runAlone("inspect", "--checkpoint", "run/checkpoints/latest")
    #expect(run.status == 0)
    #expect(run.value("position") == "2 epochs, 6 iterations, 46 samples")
    #expect(
      run.value("model ")
        == "resnet [1, 1], width 8, input 16x16x1, 3 classes; LIF tau 1.1, triangle")
    #expect(run.value("trained for") == "2 of 2 epochs, 6 iterations, 46 samples, on 1 rank")
    #expect(run.value("files")?.hasPrefix("intact: model.safetensors ") == true)
    try workspace.directory.write("{}", to: "run/checkpoints/latest/state.json")
    let damaged = try runAlone("inspect", "--checkpoint", "run/checkpoints/latest")
    #expect(damaged.status == 1 && damaged.messages.first?.contains("is damaged") == true)
    let none = try runAlone("inspect", "--checkpoint", "images")
    #expect(none.status == 1 && none.messages.first?.contains("it has no state.json") == true)
  }
}
