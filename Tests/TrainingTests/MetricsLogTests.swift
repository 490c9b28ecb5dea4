import Foundation
import SpikingNetworks
import Tensors
import Testing

@testable import Training

struct MetricsLogTests {
  let directory: String

  init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/metrics-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  private let interval = MetricsRecord(
    .interval, epoch: 1, iteration: 10, samples: 1000, trainLoss: 1.25, trainAccuracy: 0.5,
    learningRate: 0.1, firingRate: 0.125, imagesPerSecond: 800, dataWait: 0.25, seconds: 1.5,
    peakRSS: 1 << 20)
  private let epoch = MetricsRecord(
    .epoch, epoch: 1, iteration: 45, samples: 4500, trainLoss: .nan, trainAccuracy: 0.75,
    validationLoss: 0.5, validationAccuracy: 0.875, validationTop5: 1, learningRate: 0.1,
    firingRate: 0.125, imagesPerSecond: 800, dataWait: 0, seconds: 6, peakRSS: 1 << 21)

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
  }

  @Test func writesLinesAtOnce() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let log = try MetricsLog(directory: directory)
    try log.append(interval)
    try log.append(epoch)
    #expect(
      try text("metrics.jsonl") == """
        {"kind": "interval", "epoch": 1, "iteration": 10, "samples": 1000, "train_loss": 1.25, \
        "train_accuracy": 0.5, "learning_rate": 0.1, "firing_rate": 0.125, \
        "images_per_second": 800.0, "data_wait": 0.25, "seconds": 1.5, "peak_rss_bytes": 1048576}
        {"kind": "epoch", "epoch": 1, "iteration": 45, "samples": 4500, "train_loss": null, \
        "train_accuracy": 0.75, "validation_loss": 0.5, "validation_accuracy": 0.875, \
        "validation_top5": 1.0, "learning_rate": 0.1, "firing_rate": 0.125, \
        "images_per_second": 800.0, "data_wait": 0.0, "seconds": 6.0, "peak_rss_bytes": 2097152}

        """)
    #expect(
      try text("metrics.csv") == """
        kind,epoch,iteration,samples,train_loss,train_accuracy,validation_loss,\
        validation_accuracy,validation_top5,learning_rate,firing_rate,images_per_second,data_wait,\
        seconds,peak_rss_bytes
        interval,1,10,1000,1.25,0.5,,,,0.1,0.125,800.0,0.25,1.5,1048576
        epoch,1,45,4500,nan,0.75,0.5,0.875,1.0,0.1,0.125,800.0,0.0,6.0,2097152

        """)
    for line in try text("metrics.jsonl").split(separator: "\n") {
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }
    withExtendedLifetime(log) {}
  }

  @Test func anEpochSaysWhatComputedItsConvolutions() throws {
    let network = try SpikingNetwork(
      NetworkSpecification(family: .resNet, blocks: [1], width: 4, classes: 3, imageSize: 8),
      seed: 1, arena: Arena(capacity: 16 << 20))
    var record = epoch
    record.kernels = network.kernels(at: ["layer1.0.conv1": 0.5], samples: 32)
    struct Line: Decodable {
      let convolutions: [String: [String: Value]]
      enum Value: Decodable, Equatable {
        case number(Double), text(String)
        init(from decoder: any Decoder) throws {
          let container = try decoder.singleValueContainer()
          self =
            try (try? container.decode(Double.self)).map(Value.number)
            ?? .text(container.decode(String.self))
        }
      }
    }
    let line = try JSONDecoder().decode(Line.self, from: Data(record.json.utf8))
    #expect(Set(line.convolutions.keys) == ["conv1", "layer1.0.conv1", "layer1.0.conv2"])
    #expect(line.convolutions["layer1.0.conv1"]?["input_density"] == .number(0.5))
    #expect(line.convolutions["layer1.0.conv1"]?["forward"] == .text("onednn"))
    #expect(line.convolutions["conv1"]?["input_density"] == nil)
    // A table has no place for them.
    #expect(record.csv == epoch.csv)
  }

  @Test func goesOnWhereAnEarlierRunStopped() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try MetricsLog(directory: directory).append(interval)
    let cut = try FileHandle(forWritingTo: URL(fileURLWithPath: directory + "/metrics.jsonl"))
    try cut.seekToEnd()
    try cut.write(contentsOf: Data(#"{"kind": "inter"#.utf8))
    try cut.close()
    try MetricsLog(directory: directory).append(epoch)

    let lines = try text("metrics.jsonl").split(separator: "\n")
    #expect(lines.map { String($0) } == [interval.json, #"{"kind": "inter"#, epoch.json])
    let rows = try text("metrics.csv").split(separator: "\n")
    #expect(rows.map { String($0) } == [MetricsRecord.csvHeader, interval.csv, epoch.csv])
  }

  @Test func namesThePathAndTheReason() throws {
    try FileManager.default.removeItem(atPath: directory)
    #expect(
      message { _ = try MetricsLog(directory: directory) }
        == "\(directory)/metrics.jsonl: cannot write metrics: No such file or directory")
  }
}
