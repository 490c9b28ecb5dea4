import Foundation
import TestSupport
import Testing

struct PredictTests {
  private let workspace: Workspace

  /// With a trained network in `run`.
  init() throws {
    workspace = try Workspace.withImages()
    let training = try workspace.run("train", "--config", "small.yaml", "--output", "run")
    try #require(training.status == 0)
  }

  private func rows(_ output: String) -> [[String]] {
    output.split(separator: "\n").map { $0.components(separatedBy: ",") }
  }

  /// Also in other batches, and where the data set is no longer there.
  @Test(arguments: [nil, 3]) func predictsWhatEvaluateCounts(batch: Int?) throws {
    let evaluation = try workspace.run(
      "evaluate", "--checkpoint", "run", "--confusion", "confusion.csv")
    #expect(evaluation.status == 0)
    try FileManager.default.moveItem(
      atPath: workspace.file("images/val"), toPath: workspace.file("moved"))
    try FileManager.default.removeItem(atPath: workspace.file("images"))
    let run = try workspace.run(
      ["predict", "--checkpoint", "run", "moved/"] + (batch.map { ["--batch", "\($0)"] } ?? []))
    #expect(run.status == 0 && run.errors == "")
    let rows = rows(run.output)
    #expect(rows.first == ["path", "class", "probability"] && rows.count == 14)
    #expect(rows[1][0] == "moved/0/0.png")
    var counts = [[Int]](repeating: [0, 0, 0], count: 3)
    for row in rows.dropFirst() {
      let label = try #require(Int(row[0].split(separator: "/")[1]))
      counts[label][try #require(Int(row[1]))] += 1
      #expect((1.0 / 3...1).contains(try #require(Double(row[2]))))
    }
    let table = counts.enumerated().map { "\($0),\($1[0]),\($1[1]),\($1[2])\n" }.joined()
    #expect(try workspace.text("confusion.csv") == "class,0,1,2\n" + table)
  }

  @Test func aSingleClassIsTheOnlyOneToName() throws {
    try workspace.directory.makeDirectory("one/train")
    try FileManager.default.moveItem(
      atPath: workspace.file("images/train/0"), toPath: workspace.file("one/train/cat"))
    let training = try workspace.run(
      "train", "--config", "small.yaml", "--output", "single", "--set", "data.path=one", "--set",
      "data.validation=train", "--set", "training.epochs=1")
    #expect(training.status == 0, "\(training.errors)")
    let csv = try workspace.run("predict", "--checkpoint", "single", "--top", "3", "one/train")
    #expect(
      csv.status == 0 && rows(csv.output).allSatisfy { $0.count == 3 } && rows(csv.output).count > 2
    )
  }

  @Test func namesTheLikeliestClasses() throws {
    let csv = try workspace.run(
      "predict", "--checkpoint", "run", "--top", "9", "--output", "p.csv", "images/val/1/5.png",
      "images/val/1")
    #expect(csv.status == 0 && csv.output == "p.csv: 5 predictions\n")
    let table = rows(try workspace.text("p.csv"))
    #expect(
      table[0] == [
        "path", "class", "probability", "class_2", "probability_2", "class_3", "probability_3",
      ])
    #expect(table[1] == table[2] && table.count == 6)
    let json = try workspace.run(
      "predict", "--checkpoint", "run", "--top", "2", "--format", "jsonl", "images/val/1/5.png")
    let line = try #require(
      try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
    #expect(line["path"] as? String == "images/val/1/5.png")
    #expect(line["class"] as? String == table[1][1])
    let top = try #require(line["top"] as? [[String: Any]])
    #expect(top.map { $0["class"] as? String } == [table[1][1], table[1][3]])
    let probabilities = top.compactMap { $0["probability"] as? Double }
    #expect(probabilities.count == 2 && probabilities[0] >= probabilities[1])
    let sum = try [2, 4, 6].reduce(0) { try $0 + #require(Double(table[1][$1])) }
    #expect(abs(sum - 1) < 1e-5)
  }

  @Test func passesOverWhatIsBad() throws {
    try workspace.directory.write("no image", to: "bad, really.png")
    try workspace.directory.write(
      "images/val/0/1.png\nbad, really.png\nnone.png\n\nimages/val/2/9.png\n", to: "list")
    let program = try ProgramRun.path(ofProduct: "sltt-dist")
    let run = try ProgramRun(
      ["sh", "-c", "'\(program)' predict --checkpoint run --threads 1 - <list"],
      in: workspace.directory.path)
    #expect(run.status == 2)
    #expect(
      rows(run.output).dropFirst().map { $0[0] } == ["images/val/0/1.png", "images/val/2/9.png"])
    let messages = run.errors.split(separator: "\n")
    #expect(messages.count == 2)
    #expect(messages[0].hasPrefix("none.png: there is no such file"))
    #expect(messages[1].hasPrefix("bad, really.png: cannot be decoded: it is neither"))
    let nothing = try workspace.run("predict", "--checkpoint", "run", "none", "--output", "p.csv")
    #expect(nothing.status == 2 && nothing.errors.hasPrefix("none: there is no such"))
    #expect(try workspace.text("p.csv") == "path,class,probability\n")
  }

  @Test func refusesSeveralRanksAndWrongNumbers() throws {
    let ranks = try workspace.run("predict", "--checkpoint", "run", "images", ranks: 2)
    #expect(ranks.status == 1)
    #expect(ranks.messages == ["predict runs on one rank: start it without mpirun"])
    let top = try workspace.run("predict", "--checkpoint", "run", "images", "--top", "0")
    #expect(top.status == 64 && top.errors.contains("--top 0: must be from 1 to"))
  }

  /// Of a network for recordings.
  @Test func predictsRecordings() throws {
    try workspace.writeRecordings(to: "events")
    let training = try workspace.run(
      "train", "--output", "seen", "--set", "data.path=events", "--set", "data.image_size=17",
      "--set", "model.family=resnet", "--set", "model.blocks=[1]", "--set", "model.width=8",
      "--set", "data.augmentation=none", "--set", "data.normalization=none", "--set",
      "method.timesteps=2", "--set", "training.epochs=2", "--set", "training.global_batch=4")
    try #require(training.status == 0)
    let evaluation = try workspace.run(
      "evaluate", "--checkpoint", "seen", "--confusion", "confusion.csv")
    #expect(evaluation.status == 0)
    let run = try workspace.run(
      "predict", "--checkpoint", "seen", "events/Test", "images/val/0/0.png")
    #expect(run.status == 2)
    #expect(run.errors.hasPrefix("images/val/0/0.png: is malformed: it is no recording of events"))
    let rows = rows(run.output).dropFirst()
    #expect(rows.map { $0[0] }.first == "events/Test/0/0.bin" && rows.count == 4)
    let correct = rows.count { $0[0].split(separator: "/")[2] == $0[1] }
    #expect(evaluation.value("validation accuracy ") == "\(25 * correct).00 %")
    let tar = try ProgramRun(["tar", "cf", "events.tar", "events"], in: workspace.directory.path)
    try #require(tar.status == 0)
    let packed = try workspace.run("predict", "--checkpoint", "seen", "events.tar")
    #expect(packed.status == 2)
    #expect(
      packed.errors == "events.tar: is an archive, and recordings of events are read from files."
        + " Unpack it (tar xf), and name the directory that comes out.\n")
  }

  /// Shards are tars of images; that they are is not known of their directory.
  @Test func takesShardsByTheirNames() throws {
    let sharding = try workspace.run(
      "shard", "--source", "images", "--output", "shards", "--shards", "1",
      usesOneThread: false)
    try #require(sharding.status == 0, "\(sharding.errors)")
    let run = try workspace.run("predict", "--checkpoint", "run", "shards/val-000000.tar")
    #expect(run.status == 0 && rows(run.output).count == 14)
    let directory = try workspace.run("predict", "--checkpoint", "run", "shards")
    #expect(directory.status == 2)
    #expect(
      directory.errors == "shards: has no .jpg, .jpeg or .png files. Name its tars themselves:"
        + " shards/*.tar.\n")
  }

  @Test func saysWhatBinaryFilesAreFor() throws {
    try workspace.directory.write([UInt8](repeating: 1, count: 3073), to: "cifar/test_batch.bin")
    let run = try workspace.run("predict", "--checkpoint", "run", "cifar/test_batch.bin", "cifar")
    #expect(run.status == 2)
    let remedy =
      "Recordings take a network that was trained on such; CIFAR's images, which have labels, are"
      + " measured by sltt-dist evaluate."
    #expect(
      run.errors.split(separator: "\n") == [
        "cifar/test_batch.bin: is a file of recorded events or of CIFAR's binary version, and no"
          + " image. \(remedy)",
        "cifar: has no .jpg, .jpeg or .png files. \(remedy)",
      ])
  }
}
