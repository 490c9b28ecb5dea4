import Foundation
import SafeTensors
import TestSupport
import Testing

struct EvaluateTests {
  private let workspace: Workspace

  /// With a trained network in `run`.
  init() throws {
    workspace = try Workspace.withImages()
    training = try workspace.run("train", "--config", "small.yaml", "--output", "run")
    try #require(training.status == 0)
  }

  private let training: ProgramRun
  private let best = "run/checkpoints/best/model.safetensors"

  @Test(arguments: [nil, 2, 3]) func measuresWhatTrainingMeasured(ranks: Int?) throws {
    let run = try workspace.run("evaluate", "--checkpoint", best, ranks: ranks)
    #expect(run.status == 0)
    #expect(run.value("samples") == "13 of images/val")
    let accuracy = try #require(run.value("validation accuracy "))
    #expect(accuracy == training.value("best validation accuracy "))
    #expect(try #/\d+\.\d\d %/#.wholeMatch(in: accuracy) != nil)
    #expect(run.value("validation top-5") == "100.00 %")
  }

  /// The same for any number of ranks.
  @Test func writesWhatItMeasured() throws {
    func record(_ name: String, ranks: Int?) throws -> [String: Any] {
      let run = try workspace.run(
        "evaluate", "--checkpoint", best, "--json", "\(name).json", "--confusion", "\(name).csv",
        "--set", "training.global_batch=4", ranks: ranks)
      #expect(run.status == 0 && run.errors == "")
      let data = try Data(contentsOf: URL(fileURLWithPath: workspace.file("\(name).json")))
      return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }
    let (alone, together) = (try record("alone", ranks: nil), try record("together", ranks: 2))
    #expect(alone["data"] as? String == "images/val" && alone["samples"] as? Int == 13)
    let accuracies = try #require(alone["accuracy_by_timestep"] as? [Double])
    #expect(accuracies.count == 2 && accuracies[1] == alone["accuracy"] as? Double)
    let confusion = try #require(alone["confusion"] as? [[Int]])
    #expect(confusion.map { $0.reduce(0, +) } == [5, 4, 4])
    let correct = Double((0..<3).reduce(0) { $0 + confusion[$1][$1] })
    #expect(abs(correct / 13 - accuracies[1]) < 1e-12)
    let layers = try #require(alone["firing"] as? [[String: Any]])
    #expect(layers.count == 4 && layers.allSatisfy { ($0["rates"] as? [Double])?.count == 2 })
    for key in ["samples", "accuracy", "top5", "accuracy_by_timestep", "classes", "confusion"] {
      #expect(alone[key] as? NSObject == together[key] as? NSObject, "\(key)")
    }
    for key in ["loss", "calibration_error", "firing_rate"] {
      let difference = (alone[key] as! Double) - (together[key] as! Double)
      #expect(abs(difference) < 1e-5, "\(key)")
    }
    let table = try workspace.text("alone.csv")
    #expect(try table == workspace.text("together.csv"))
    let first = confusion[0].map { "\($0)" }.joined(separator: ",")
    #expect(table.hasPrefix("class,0,1,2\n0,\(first)\n"))
  }

  @Test(arguments: [nil, 2]) func countsBadSamples(ranks: Int?) throws {
    try workspace.directory.write("not an image", to: "images/val/1/bad.png")
    let run = try workspace.run(
      "evaluate", "--checkpoint", "run", "--set", "data.on_bad_sample=skip", "--json", "bad.json",
      ranks: ranks)
    #expect(run.status == 0)
    #expect(run.value("samples") == "14 of images/val")
    #expect(run.value("bad samples") == "1, in whose places neighbours counted")
    #expect(run.errors.contains("images/val/1/bad.png"))
    #expect(try workspace.text("bad.json").contains("\"bad_samples\":1,"))
  }

  @Test func saysWhereTheBestCheckpointIsGone() throws {
    let best = try FileManager.default.destinationOfSymbolicLink(
      atPath: workspace.file("run/checkpoints/best"))
    for name in ["latest", "best"] {
      try FileManager.default.removeItem(atPath: workspace.file("run/checkpoints/\(name)"))
    }
    for (name, target) in [("best", "gone"), ("latest", best)] {
      try FileManager.default.createSymbolicLink(
        atPath: workspace.file("run/checkpoints/\(name)"), withDestinationPath: target)
    }
    let run = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(run.status == 0)
    #expect(
      run.errors.contains(
        "run/checkpoints/best leads to no checkpoint: taking run/checkpoints/latest"))
  }

  /// A full disk must not look like a result.
  @Test(arguments: [">/dev/full", ">&-"]) func whatCannotBePrintedIsAnError(to: String) throws {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    for command in [
      "evaluate --checkpoint run --threads 1", "predict --checkpoint run --threads 1 images",
      "recipes",
    ] {
      let run = try ProgramRun(
        ["sh", "-c", "'\(program)' \(command) \(to)"], in: workspace.directory.path)
      #expect(run.status == 1, "\(command)")
      #expect(run.errors.contains("standard output: cannot be written: "), "\(run.errors)")
    }
  }

  @Test func replacesNothingButResultsOfItsKind() throws {
    let predict = ["predict", "--checkpoint", best, "images/val", "--output", "predictions.csv"]
    #expect(try workspace.run(predict).status == 0)
    let others = [
      "predictions.csv": try workspace.text("predictions.csv"),
      "prices.csv": "class,price\ncat,3\n", "notes.txt": "the class, the accuracy\n",
    ]
    for (name, text) in others {
      try workspace.directory.write(text, to: name)
      let run = try workspace.run("evaluate", "--checkpoint", best, "--confusion", name)
      #expect(
        run.status == 1 && run.errors.contains("\(name): is there already, and is no confusion"))
      #expect(try workspace.text(name) == text)
    }
    for name in ["own.csv", "own.csv"] {
      let run = try workspace.run("evaluate", "--checkpoint", best, "--confusion", name)
      #expect(run.status == 0)
    }
  }

  /// Not even where nobody reads what is printed.
  @Test func resultsAreNotLost() throws {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    _ = try ProgramRun(
      [
        "sh", "-c",
        "'\(program)' evaluate --threads 1 --checkpoint run --json own.json --confusion own.csv | true",
      ], in: workspace.directory.path)
    #expect(try workspace.text("own.json").hasSuffix("}\n"))
    #expect(try workspace.text("own.csv").hasPrefix("class,0,1,2\n"))
  }

  @Test func saysAtOnceWhatItCannotWrite() throws {
    let run = try workspace.run("evaluate", "--checkpoint", "none", "--json", "none/x.json")
    #expect(run.status == 1 && run.messages.count == 1)
    #expect(
      run.messages.first?.hasPrefix("none/x.json: cannot be written: none is no directory") == true)
    let unrolled = try workspace.run("evaluate", "--checkpoint", best, "--unroll", "--classes")
    #expect(unrolled.status == 64 && unrolled.errors.contains("--unroll compares two networks"))
  }

  @Test(arguments: [nil, 3]) func comparesLevelsWithSingleSpikes(ranks: Int?) throws {
    let none = try workspace.run("evaluate", "--checkpoint", "run", "--unroll", ranks: ranks)
    #expect(none.status == 1)
    #expect(none.messages.count == 1)
    #expect(
      none.messages.first?.hasSuffix(
        "the network cannot run unrolled: neurons fire at most one spike at a time step, so that there"
          + " is nothing to unroll; leave out --unroll") == true)
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "levels", "--set", "neuron.levels=4")
    #expect(training.status == 0)
    let run = try workspace.run("evaluate", "--checkpoint", "levels", "--unroll", ranks: ranks)
    #expect(run.status == 0)
    #expect(run.value("time steps") == "2, unrolled 4 x 2")
    let accuracy = try #require(training.value("best validation accuracy "))
    #expect(run.value("validation accuracy ") == "\(accuracy), unrolled \(accuracy)")
    let spikes = try #require(run.value("spikes")).components(separatedBy: ", unrolled ")
    #expect(spikes.count == 2 && spikes[0] == spikes[1] && spikes[0].count > 3)
    #expect(run.value("same prediction") == "100.00 % of the samples")
    let logits = try #require(run.value("logits differ by"))
    let numbers = try #require(try #/(\S+) at most, the largest is (\S+)/#.wholeMatch(in: logits))
    #expect(Double(numbers.1)! < 1e-5 * Double(numbers.2)!)
  }

  /// Counts are exact, so that ranks do not matter.
  @Test func tellsOperationsAndEnergy() throws {
    func table(_ options: String..., ranks: Int? = nil) throws -> [Substring] {
      let run = try workspace.run(
        ["evaluate", "--checkpoint", "run", "--energy"] + options, ranks: ranks)
      #expect(run.status == 0)
      return Array(run.output.split(separator: "\n").drop { !$0.hasPrefix("layer ") })
    }
    let rows = try table()
    #expect(try table(ranks: 3) == rows)
    #expect(rows.dropFirst().first?.contains("not spikes") == true)
    let total = try #require(rows.first { $0.hasPrefix("total ") }).split(separator: " ")
    // MACs, ACs, their energy, and the MACs of an ANN, which has no T = 2.
    let numbers = total.map { Int($0.replacing(",", with: "")) ?? 0 }
    #expect(numbers[1] > 0 && numbers[1] < numbers[5] && numbers[2] > 0)
    let free = try table("--mac-energy", "0", "--ac-energy", "0")
    #expect(free.first { $0.hasPrefix("total ") }?.hasSuffix("0.00 pJ") == true)
    let both = try workspace.run("evaluate", "--checkpoint", "run", "--energy", "--unroll")
    #expect(both.status == 64 && both.errors.contains("--unroll compares two networks"))
  }

  @Test func takesOtherDataAndSettings() throws {
    try FileManager.default.copyItem(
      atPath: workspace.file("images"), toPath: workspace.file("others"))
    try FileManager.default.removeItem(atPath: workspace.file("images"))
    let elsewhere = try workspace.run("evaluate", "--checkpoint", best)
    #expect(
      elsewhere.status == 1 && elsewhere.messages.first?.hasPrefix("images: there is") == true)
    let run = try workspace.run(
      "evaluate", "--checkpoint", best, "--set", "data.path=others",
      "--set", "data.validation=train", "--set", "training.global_batch=1")
    #expect(run.status == 0 && run.value("samples") == "23 of others/train")
  }

  /// The run's configuration names the data from where it was started.
  @Test func fromElsewhereItWantsTheDataNamed() throws {
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    try workspace.directory.makeDirectory("elsewhere")
    func evaluate(_ options: String...) throws -> ProgramRun {
      try ProgramRun(
        [program, "evaluate", "--checkpoint", "../run", "--threads", "1"] + options,
        in: workspace.file("elsewhere"))
    }
    let refused = try evaluate()
    #expect(refused.status == 1 && refused.messages.count == 1)
    let message = try #require(refused.messages.first)
    #expect(
      message.hasPrefix("images: there is no such file or directory here; it is data.path of /"))
    #expect(message.hasSuffix(": go there, or name the data with --set data.path="))
    let run = try evaluate("--set", "data.path=../images")
    #expect(run.status == 0 && run.value("samples")?.hasPrefix("13 of ") == true)
  }

  @Test func refusesOtherClasses() throws {
    for split in ["train", "val"] {
      try FileManager.default.moveItem(
        atPath: workspace.file("images/\(split)/1"), toPath: workspace.file("images/\(split)/one"))
    }
    let run = try workspace.run("evaluate", "--checkpoint", best)
    #expect(run.status == 1)
    #expect(
      run.messages == [
        "\(best) was trained on other classes: number 1 (from 0) is '1' there and '2' in these data"
      ])
  }

  /// A file by itself has no checksum, but in its checkpoint it has.
  @Test func refusesADamagedCheckpoint() throws {
    #expect(try workspace.run("evaluate", "--checkpoint", "run").status == 0)
    let run = try workspace.run("evaluate", "--checkpoint", "run/checkpoints/best")
    #expect(run.value("validation accuracy ") == training.value("best validation accuracy "))
    var data = try Data(contentsOf: URL(fileURLWithPath: workspace.file(best)))
    data[data.count - 3] ^= 1
    try workspace.directory.write(data, to: best)
    let damaged = try workspace.run("evaluate", "--checkpoint", "run")
    #expect(damaged.status == 1 && damaged.messages.count == 1)
    #expect(damaged.messages.first?.contains("is damaged: its checksum is") == true)
  }

  @Test func refusesADamagedFile() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: workspace.file(best)))
    for count in [0, 5, 200, data.count / 2, data.count - 1] {
      try workspace.directory.write(data.prefix(count), to: "cut.safetensors")
      let run = try workspace.run("evaluate", "--checkpoint", "cut.safetensors")
      #expect(run.status == 1 && run.output == "")
      #expect(run.messages.count == 1)
      #expect(
        run.messages.first?.hasPrefix("cut.safetensors: not a valid safetensors file: ") == true)
    }
  }

  @Test func refusesAForeignFile() throws {
    let origin = "its metadata lack configuration or classes"
    try SafeTensorsWriter.write(
      [.floats("x", shape: [1], [1])], to: workspace.file("other.safetensors"))
    for file in ["other.safetensors", "run/checkpoints/latest/optimizer.safetensors"] {
      let run = try workspace.run("evaluate", "--checkpoint", file)
      #expect(run.status == 1)
      #expect(
        run.messages.first?.hasPrefix("\(file) is not a model of sltt-dist: \(origin)") == true)
    }
    let image = try workspace.run("evaluate", "--checkpoint", "images/val/0/0.png")
    #expect(image.status == 1 && image.messages.first?.contains("not a valid safetensors") == true)
    let missing = try workspace.run("evaluate", "--checkpoint", "none.safetensors")
    #expect(missing.status == 1)
    #expect(
      missing.messages == [
        "none.safetensors does not exist: name a run, one of its checkpoints, or a model's file"
      ])
  }

  @Test func refusesAnotherNetwork() throws {
    let wider = try workspace.run("evaluate", "--checkpoint", best, "--set", "model.width=4")
    #expect(wider.status == 1 && wider.messages.count == 1)
    #expect(
      wider.messages.first?.contains(
        "\(best): tensor 'fc.weight' has shape [3, 16], expected [3, 8]") == true)
    let deeper = try workspace.run(
      "evaluate", "--checkpoint", best, "--set", "model.blocks=[1,2]")
    #expect(deeper.status == 1 && deeper.messages.count == 1)
    #expect(
      deeper.messages.first?.hasPrefix(
        "\(best) does not hold this network: it lacks 7 of 29 tensors, such as layer2.1.") == true)
  }
}
