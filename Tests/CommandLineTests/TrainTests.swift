import Configuration
import Foundation
import Tensors
import TestSupport
import Testing
import Training

struct TrainTests {
  /// What the summary says of AMX, which depends on the processor.
  private static let amx =
    (TileEngine.best == .amx ? "AMX" : TileEngine.missingAMX).map { ", \($0)" } ?? ""

  @Test func withoutArgumentsItTrainsTheEmbeddedDataFromAnyDirectory() throws {
    let workspace = try Workspace()
    let run = try workspace.run("train", "--set", "training.max_iterations=1")
    #expect(run.status == 0 && run.errors == "")
    #expect(
      run.value("data") == "embedded MNIST: 4,500 training and 500 validation samples, 10 classes")
    #expect(run.value("model")?.hasPrefix("resnet [1, 1, 1], width 16, input 28x28x1") == true)
    #expect(run.output.contains("\nepoch 1/20 ended after 1 of 90 iterations: loss "))
    #expect(run.output.contains("\ntrained a part of an epoch (1 iteration) in "))
    #expect(run.value("schedule")?.hasPrefix("20 epochs of 90 iterations, 1 in all, sgd") == true)
    let directory = try #require(run.value("results in "))
    #expect(directory.hasPrefix("runs/"))
    let files = try FileManager.default.contentsOfDirectory(atPath: workspace.file(directory))
    #expect(files.count { $0.hasPrefix("events.out.tfevents.") } == 1)
    #expect(
      files.filter { !$0.hasPrefix("events.") }.sorted()
        == [
          ".checkpointed", ".lock", "checkpoints", "config.yaml", "metrics.csv", "metrics.jsonl",
        ])
    #expect(try workspace.directory.contents == ["runs"])
  }

  /// Also one that is complete by now.
  @Test func runsThatBeginInOneSecondHaveNamesOfTheirOwn() throws {
    let workspace = try Workspace.withImages()
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.dateFormat = "yyyyMMdd-HHmmss"
    let now = Date()
    for second in 0..<300 {
      let run = "runs/" + format.string(from: now + Double(second))
      try workspace.directory.write("", to: run + "/config.yaml")
    }
    let run = try workspace.run("train", "--config", "small.yaml", "--set", "training.epochs=1")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    let output = try #require(run.value("output"))
    #expect(output.hasSuffix("-2") && run.value("results in ") == output)
  }

  @Test func writesMetricsCheckpointsAndTheConfiguration() throws {
    let workspace = try Workspace.withImages()
    let run = try workspace.run("train", "--config", "small.yaml", "--output", "a/b")
    #expect(run.status == 0 && run.errors == "")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("a/b/checkpoints"))
        .sorted() == ["best", "iteration-000000003", "iteration-000000006", "latest"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("a/b/checkpoints/latest"))
        .sorted() == ["model.safetensors", "optimizer.safetensors", "state.json"])

    let records = try workspace.text("a/b/metrics.jsonl").split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    let epoch = ["interval", "interval", "interval", "epoch"]
    #expect(records.map { $0["kind"] as? String } == epoch + epoch)
    #expect(records.map { $0["samples"] as? Int } == [10, 20, 23, 23, 33, 43, 46, 46])
    #expect(records.map { $0["iteration"] as? Int } == [1, 2, 3, 3, 4, 5, 6, 6])
    let accuracies = records.compactMap { $0["validation_accuracy"] as? Double }
    #expect(accuracies.count == 2 && accuracies.allSatisfy { (0...1).contains($0) })

    let waits = records.compactMap { $0["data_wait"] as? Double }
    #expect(waits.count == records.count && waits.allSatisfy { (0...1).contains($0) })
    #expect(run.output.contains(", waited for data "))

    let rows = try workspace.text("a/b/metrics.csv").split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(rows.count == records.count + 1)
    #expect(rows.allSatisfy { $0.count == rows[0].count })
    let column = try #require(rows[0].firstIndex(of: "iteration"))
    #expect(rows.dropFirst().map { Int($0[column]) } == records.map { $0["iteration"] as? Int })
    #expect(
      run.value("best validation accuracy ")
        == String(format: "%.2f %%", try #require(accuracies.max()) * 100))
  }

  @Test func checkpointsAreMadeEverySoManyEpochsAndAtTheEnd() throws {
    let workspace = try Workspace.withImages()
    let run = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.epochs=5",
      // Whatever is the best one has a checkpoint, too.
      "--set", "training.validate_every=5", "--set", "checkpoint.every_epochs=2",
      "--set", "checkpoint.every_minutes=null", "--set", "checkpoint.keep=10", "--output", "run")
    #expect(run.status == 0 && run.errors == "")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("run/checkpoints"))
        .sorted() == [
          "best", "iteration-000000006", "iteration-000000012", "iteration-000000015", "latest",
        ])
  }

  /// Stopped in the middle of an epoch and gone on, a run ends as if it had never stopped.
  @Test(arguments: ["nf-resnet", "resnet"])
  func anInterruptedRunGoesOnBitForBit(_ family: String) throws {
    let workspace = try Workspace.withImages()
    let common = [
      "--set", "model.family=\(family)", "--set", "model.blocks=[1, 1]",
      "--set", "method.name=sltt-k", "--set", "method.k=1",
    ]
    let whole = try workspace.run(
      ["train", "--config", "small.yaml", "--output", "whole"] + common)
    let part = try workspace.run(
      ["train", "--config", "small.yaml", "--set", "training.max_iterations=4", "--output", "part"]
        + common)
    let rest = try workspace.run(
      "train", "--resume", "part", "--set", "training.max_iterations=6")
    #expect(whole.status == 0 && part.status == 0 && rest.status == 0 && rest.errors == "")
    #expect(rest.output.contains("resuming after 4 iterations"))
    for name in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(name).safetensors"
      #expect(try workspace.tensors("whole/\(path)") == workspace.tensors("part/\(path)"))
    }
    let rows = try ["whole", "part"].map {
      try workspace.text("\($0)/metrics.csv").split(separator: "\n").map {
        $0.split(separator: ",").prefix(4).joined(separator: ",")
      }
    }
    #expect(Set(rows[0]).isSubset(of: rows[1]))

    #expect(rest.output.contains("training.max_iterations was 4 and is 6"))

    let again = try workspace.run("train", "--resume", "part", "--set", "training.global_batch=5")
    #expect(again.status != 0 && again.errors.contains("training.global_batch is 5"))
    let other = try workspace.run("train", "--resume", "part", "--set", "optimizer.name=adamw")
    #expect(
      other.messages.first?.hasPrefix(
        "--set optimizer.name=adamw: optimizer.name is adamw, but the run began with sgd: leave it")
        == true)
    let none = try workspace.run("train", "--resume", "nowhere")
    #expect(none.status != 0 && none.errors.contains("nowhere does not exist: name a run"))
  }

  /// Epochs of a metrics file with their validation accuracies.
  private func epochs(_ workspace: Workspace, of run: String) throws -> [Int: Double?] {
    let rows = try workspace.text("\(run)/metrics.csv").split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let columns = try ["epoch", "validation_accuracy"].map { name in
      try #require(rows[0].firstIndex(of: name))
    }
    let pairs = rows.filter { $0[0] == "epoch" }.map {
      (Int($0[columns[0]])!, Double($0[columns[1]]))
    }
    // Of an epoch that was broken off, what it came to in the end.
    return Dictionary(pairs) { $1 }
  }

  @Test func someEpochsGoWithoutValidation() throws {
    let workspace = try Workspace.withImages()
    let common = ["train", "--config", "small.yaml", "--set", "training.epochs=5"]
    let every = try workspace.run(common + ["--output", "every"])
    let third = ["--set", "training.validate_every=3"]
    let some = try workspace.run(common + third + ["--output", "some"])
    #expect(every.status == 0 && some.status == 0 && some.errors == "")
    #expect(some.output.contains("validation accuracy not measured, "))
    let (all, few) = (try epochs(workspace, of: "every"), try epochs(workspace, of: "some"))
    #expect(few.keys.sorted() == [1, 2, 3, 4, 5])
    for epoch in 1...5 { #expect(few[epoch]! == ([3, 5].contains(epoch) ? all[epoch]! : nil)) }
    #expect(
      some.value("best validation accuracy ")
        == String(format: "%.2f %%", max(few[3]!!, few[5]!!) * 100))

    // Stopped after an epoch without validation, and within the next.
    for stop in [6, 7] {
      let output = "parts\(stop)"
      let first = try workspace.run(
        common + third + ["--output", output, "--set", "training.max_iterations=\(stop)"])
      let rest = try workspace.run(
        "train", "--resume", output, "--set", "training.max_iterations=15")
      #expect(first.status == 0 && rest.status == 0 && rest.errors == "")
      for name in ["model", "optimizer"] {
        let path = "checkpoints/latest/\(name).safetensors"
        #expect(try workspace.tensors("some/\(path)") == workspace.tensors("\(output)/\(path)"))
      }
      let measured = try epochs(workspace, of: output)
      #expect(measured[3] == few[3] && measured[5] == few[5] && measured[4] == few[4])
    }
  }

  /// A checkpoint after an epoch without validation has all that the epoch measured.
  @Test func aCheckpointWithoutValidationGoesOn() throws {
    let workspace = try Workspace.withImages()
    let common = [
      "train", "--config", "small.yaml", "--set", "training.validate_every=2", "--set",
      "training.epochs=2", "--set", "checkpoint.keep=9", "--output", "run",
    ]
    #expect(try workspace.run(common).status == 0)
    let last = try workspace.text("run/metrics.csv").split(separator: "\n").map(String.init)
    let name = "run/checkpoints/iteration-000000003"
    let inspected = try workspace.run("inspect", "--checkpoint", name, usesOneThread: false)
    #expect(inspected.value("validation accuracy") == "not measured")
    #expect(inspected.value("position")?.hasPrefix("1 epoch, 3 iterations") == true)
    let again = try workspace.run("train", "--resume", name)
    #expect(again.status == 0 && again.errors.contains("are of another course"))
    let rows = try workspace.text("run/metrics.csv").split(separator: "\n").map(String.init)
    func figures(_ rows: [String]) -> [String] {
      rows.map {
        $0.split(separator: ",", omittingEmptySubsequences: false).prefix(9).joined(separator: ",")
      }
    }
    #expect(figures(rows) == figures(last))
  }

  @Test func aPartOfTheSamplesIsEnoughToValidate() throws {
    let workspace = try Workspace.withImages()
    let part = ["--config", "small.yaml", "--set", "data.validation_samples=5"]
    var accuracies: [[Int: Double?]] = []
    for ranks in [nil, 2, 3] {
      let output = "run\(ranks ?? 1)"
      let run = try workspace.run(["train", "--output", output] + part, ranks: ranks)
      #expect(run.status == 0 && run.errors == "")
      #expect(
        run.value("data") == "images: 23 training and 5 of 13 validation samples, 3 classes")
      accuracies.append(try epochs(workspace, of: output))
    }
    #expect(accuracies[0].values.allSatisfy { ($0! * 5).rounded() == $0! * 5 })
    #expect(accuracies[1] == accuracies[0] && accuracies[2] == accuracies[0])
    // The whole split, unless asked otherwise.
    let whole = try workspace.run("evaluate", "--checkpoint", "run1")
    #expect(whole.value("samples")?.hasPrefix("13 of ") == true)
    let again = try workspace.run(
      "evaluate", "--checkpoint", "run1/checkpoints/latest", "--set", "data.validation_samples=5")
    #expect(again.value("samples")?.hasPrefix("5 of ") == true)
  }

  @Test func theResolvedConfigurationRepeatsTheRun() throws {
    let workspace = try Workspace.withImages()
    let first = try workspace.run(
      "train", "--config", "small.yaml", "--set", "training.epochs=1",
      "--set", "method.name=sltt-k", "--set", "method.k=1", "--output", "first")
    let second = try workspace.run("train", "--config", "first/config.yaml", "--output", "second")
    #expect(first.status == 0 && second.status == 0)
    let resolved = try Configuration(file: workspace.file("first/config.yaml"))
    #expect(resolved.training.epochs == 1 && resolved.method.k == 1)
    #expect(try workspace.text("first/config.yaml") == workspace.text("second/config.yaml"))
    for name in ["model", "optimizer"] {
      let path = "checkpoints/latest/\(name).safetensors"
      #expect(try workspace.tensors("first/\(path)") == workspace.tensors("second/\(path)"))
    }
  }

  @Test func summarizesTheRunAndShowsProgressInPlainLines() throws {
    let workspace = try Workspace.withImages()
    let run = try workspace.run("train", "--config", "small.yaml", "--output", "run")
    #expect(
      run.value("model")
        == "nf-resnet [1, 1], width 8, input 16x16x1, 3 classes; LIF tau 1.1, triangle")
    #expect(run.value("parameters").map { Int($0.filter { $0 != "," })! } ?? 0 > 1000)
    #expect(run.value("method") == "sltt, T = 2")
    #expect(run.value("data") == "images: 23 training and 13 validation samples, 3 classes")
    #expect(run.value("ranks") == "1 rank x 1 thread, global batch 10")
    #expect(run.value("kernels") == "onednn, spikes auto\(Self.amx)")
    #expect(
      run.value("schedule") == "2 epochs of 3 iterations, sgd, learning rate 0.1 (cosine)")
    #expect(run.value("memory")?.contains("MiB a rank expected, ") == true)
    #expect(run.value("output") == "run")
    #expect(!run.output.contains("\r") && !run.output.contains("\u{1B}"))
    let progress = run.output.split(separator: "\n").filter { $0.contains("  iteration ") }
    #expect(progress.count == 6)
    let pattern =
      #/epoch 2/2  iteration 3/3  loss \d+\.\d{4}  acc \d+\.\d %  ETA 0\.00 s  [\d,.]+ images/s  /#
    #expect(progress.last?.prefixMatch(of: pattern) != nil)
    #expect(run.output.contains("\nepoch 2/2 done: loss "))
    #expect(run.output.hasSuffix("results in run\n"))
  }

  /// As where `tee` or `head` has ended, or the disk of a log is full.
  @Test(arguments: ["| head -n 1", ">/dev/full"]) func trainsOnWhereNobodyReads(to: String) throws {
    let workspace = try Workspace.withImages()
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let run = try ProgramRun(
      [
        "bash", "-o", "pipefail", "-c",
        "'\(program)' train --config small.yaml --threads 1 --output run \(to)",
      ], in: workspace.directory.path)
    #expect(run.status == 0, "\(run.errors)")
    let metrics = try workspace.text("run/metrics.jsonl").split(separator: "\n")
    #expect(metrics.count { $0.hasPrefix("{\"kind\": \"epoch\"") } == 2)
  }

  @Test func bothBackEndsTrainToTheSameWeights() throws {
    let workspace = try Workspace.withImages()
    for backend in ["onednn", "openblas"] {
      let run = try workspace.run(
        "train", "--config", "small.yaml", "--backend", backend, "--output", backend)
      #expect(run.status == 0 && run.value("kernels") == "\(backend), spikes auto\(Self.amx)")
    }
    let path = "checkpoints/latest/model.safetensors"
    let (a, b) = (
      try workspace.tensors("onednn/\(path)"), try workspace.tensors("openblas/\(path)")
    )
    #expect(relativeDifference(a, b) < 1e-4)
  }

  @Test func keepsADirectoryThatHoldsARun() throws {
    let workspace = try Workspace.withImages()
    #expect(try workspace.run("train", "--config", "small.yaml", "--output", "run").status == 0)
    let before = try workspace.text("run/metrics.jsonl")
    let again = try workspace.run("train", "--config", "small.yaml", "--output", "run")
    #expect(again.status == 1)
    #expect(
      again.messages == [
        "run already holds a run; name another --output, or go on with it: --resume run"
      ])
    #expect(try workspace.text("run/metrics.jsonl") == before)
  }

  @Test func leavesNothingBehindWhereItCannotBegin() throws {
    let workspace = try Workspace()
    let run = try workspace.run("train", "--set", "data.path=nowhere")
    #expect(run.status == 1)
    #expect(
      run.messages
        == ["nowhere: there is no such file or directory. Check the path."])
    #expect(try workspace.directory.contents == [])
  }

  @Test func aNewClassifierNeedsWeightsToBeginWith() throws {
    let workspace = try Workspace()
    let run = try workspace.run("train", "--reinitialize-head")
    #expect(run.status == 64 && run.errors.contains("--reinitialize-head needs --init-from"))
    #expect(try workspace.directory.contents == [])
  }

  @Test func saysWhyTheOutputCannotBeWritten() throws {
    let workspace = try Workspace.withImages()
    try workspace.directory.write("", to: "file")
    let run = try workspace.run("train", "--config", "small.yaml", "--output", "file")
    #expect(run.status == 1 && run.messages == ["file cannot be created: Not a directory"])
  }

  @Test(
    .disabled(
      if: ProcessInfo.processInfo.environment["SLTT_TEST_SANITIZER"] == "address",
      "the sanitizer reserves more addresses than the test allows"))
  func saysWhatMemoryIsMissing() throws {
    let workspace = try Workspace.withImages()
    let large = try workspace.run(
      "train", "--config", "small.yaml", "--set", "data.image_size=16384", "--set",
      "method.name=bptt", "--set", "method.timesteps=10000",
      "--output", "run")
    #expect(large.status == 1 && large.messages.count == 1)
    #expect(
      large.messages.first?.hasPrefix(
        "small.yaml:4: training.global_batch = 10 needs about ") == true)
    // Where there is less than the machine has.
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let command = "ulimit -v 2000000; exec '\(program)' train --config small.yaml --threads 1"
    let limited = try ProgramRun(["bash", "-c", command], in: workspace.directory.path)
    #expect(limited.status == 1)
    #expect(limited.messages.first?.hasPrefix("cannot reserve ") == true)
    #expect(limited.messages.first?.hasSuffix("(ulimit -v)") == true)
  }

  /// As a full disk does: the checkpoint before stays, and no half-written one.
  @Test func saysWhichFileCannotBeWritten() throws {
    let workspace = try Workspace.withImages()
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    // Without histograms the metrics stay below that, however late the checkpoint's writer is.
    let command =
      "trap '' XFSZ; ulimit -f 16; exec '\(program)' train --config small.yaml"
      + " --set metrics.histograms_every=0 --threads 1 --output run"
    let run = try ProgramRun(["bash", "-c", command], in: workspace.directory.path)
    #expect(run.status == 1)
    let message = try #require(run.messages.first)
    #expect(run.messages.count == 1)
    #expect(
      message.hasPrefix("run/checkpoints: the checkpoint cannot be written: run/checkpoints/."))
    #expect(
      message.hasSuffix(
        "/model.safetensors.partial: cannot be written: File too large. Check its permissions and the"
          + " disk."))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: workspace.file("run/checkpoints"))
        .isEmpty)
  }

  /// `~/` is the home directory in keys, options and `=`, where a shell leaves it alone.
  @Test func pathsMayBeginInTheHomeDirectory() throws {
    let workspace = try Workspace.withImages()
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    func run(_ arguments: String...) throws -> ProgramRun {
      try ProgramRun(
        [program] + arguments + ["--threads", "1"], in: workspace.directory.path,
        environment: ["HOME": workspace.directory.path])
    }
    try workspace.directory.makeDirectory("elsewhere")
    let trained = try run(
      "train", "--config=~/small.yaml", "--set", "data.path=~/images", "--output=~/elsewhere/run",
      "--set", "training.max_iterations=1")
    #expect(trained.status == 0)
    #expect(try workspace.directory.contents.contains("elsewhere"))
    #expect(try !workspace.directory.contents.contains("~"))
    #expect(try run("evaluate", "--checkpoint=~/elsewhere/run").status == 0)
    let empty = try run("train", "--output", "")
    #expect(empty.status == 64 && empty.errors.contains("the path is empty"))
  }
}
