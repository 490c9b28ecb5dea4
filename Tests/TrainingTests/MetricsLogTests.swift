import Foundation
import SpikingNetworks
import TensorBoard
import Tensors
import TestSupport
import Testing

@testable import Training

struct MetricsLogTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private let interval = MetricsRecord(
    .interval, epoch: 1, iteration: 10, samples: 1000, trainLoss: 1.25, trainAccuracy: 0.5,
    learningRate: 0.1, firingRate: 0.125, imagesPerSecond: 800, dataWait: 0.25, seconds: 1.5,
    peakRSS: 1 << 20, rss: 1 << 19, gradientNorm: 0.75)
  private let epoch = MetricsRecord(
    .epoch, epoch: 1, iteration: 45, samples: 4500, trainLoss: nil, trainAccuracy: 0.75,
    validationLoss: 0.5, validationAccuracy: 0.875, validationTop5: 1, learningRate: 0.1,
    firingRate: 0.125, imagesPerSecond: 800, dataWait: 0, seconds: 6, peakRSS: 1 << 21,
    rss: 1 << 20, gradientNorm: nil)

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: directory.file(name), encoding: .utf8)
  }

  @Test func writesLinesAtOnce() throws {
    let log = try MetricsLog(directory: directory.path)
    try log.append(interval)
    try log.append(epoch)
    #expect(
      try text("metrics.jsonl") == """
        {"kind": "interval", "epoch": 1, "iteration": 10, "samples": 1000, "train_loss": 1.25, \
        "train_accuracy": 0.5, "learning_rate": 0.1, "firing_rate": 0.125, \
        "images_per_second": 800.0, "data_wait": 0.25, "seconds": 1.5, "peak_rss_bytes": 1048576, \
        "rss_bytes": 524288, "gradient_norm": 0.75}
        {"kind": "epoch", "epoch": 1, "iteration": 45, "samples": 4500, "train_loss": null, \
        "train_accuracy": 0.75, "validation_loss": 0.5, "validation_accuracy": 0.875, \
        "validation_top5": 1.0, "learning_rate": 0.1, "firing_rate": 0.125, \
        "images_per_second": 800.0, "data_wait": 0.0, "seconds": 6.0, "peak_rss_bytes": 2097152, \
        "rss_bytes": 1048576, "gradient_norm": null}

        """)
    #expect(
      try text("metrics.csv") == """
        kind,epoch,iteration,samples,train_loss,train_accuracy,validation_loss,\
        validation_accuracy,validation_top5,learning_rate,firing_rate,images_per_second,data_wait,\
        seconds,peak_rss_bytes,rss_bytes,gradient_norm
        interval,1,10,1000,1.25,0.5,,,,0.1,0.125,800.0,0.25,1.5,1048576,524288,0.75
        epoch,1,45,4500,,0.75,0.5,0.875,1.0,0.1,0.125,800.0,0.0,6.0,2097152,1048576,

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
    record.inputRates = [
      InputRate(layer: "layer1.0.conv1", rate: 1.5), InputRate(layer: "linear", rate: 0.25),
    ]
    struct Line: Decodable {
      let convolutions: [String: [String: Value]]
      let input_rates: [String: Double]
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
    #expect(line.input_rates == ["layer1.0.conv1": 1.5, "linear": 0.25])
    // A table has no place for them.
    #expect(record.csv == epoch.csv)
  }

  @Test func anEpochSaysWhatMemoryWasExpected() throws {
    var record = epoch
    let network = try NetworkPlan(
      NetworkSpecification(family: .resNet, blocks: [1], width: 4, classes: 3, imageSize: 8))
    let estimate = MemoryEstimate(
      network, samples: 4, rule: .sltt(timesteps: 2), optimizerBuffers: 1, before: 1 << 20)
    record.expectedMemory = estimate
    struct Line: Decodable { let expected_bytes: [String: Int] }
    let parts = try JSONDecoder().decode(Line.self, from: Data(record.json.utf8)).expected_bytes
    #expect(parts["tape"] == estimate.tapeBytes && parts["gradients"] == 4 * network.weightCount)
    #expect(parts["optimizer"] == 4 * network.weightCount && parts["teacher"] == nil)
    #expect(
      parts.values.reduce(0, +) == estimate.totalBytes + estimate.checkpointBytes)
    #expect(record.csv == epoch.csv)
  }

  @Test func anEpochSaysWhatComputedIt() throws {
    var record = epoch
    record.resources = RunResources(ranks: 2, threads: 1, kernels: "onednn, spikes \"auto\"")
    struct Line: Decodable { let resources: RunResources }
    let line = try JSONDecoder().decode(Line.self, from: Data(record.json.utf8))
    #expect(line.resources == record.resources)
    #expect("\(line.resources)" == "2 ranks x 1 thread, onednn, spikes \"auto\"")
  }

  @Test func anEpochSaysHowOftenEachLayerFired() throws {
    var record = epoch
    record.firing = FiringStatistics(
      layers: [
        .init(name: "sn1", neurons: 10, spikes: [20, 5]),
        .init(name: "sn2", neurons: 4, spikes: [0, 1]),
      ], samples: [4, 2])
    record.validationFiring = FiringStatistics(
      layers: [.init(name: "sn1", neurons: 10, spikes: [1, 2], silent: 5)], samples: [1, 1])
    #expect(
      record.json.contains(
        """
        , "firing_rates": [{"layer": "sn1", "rates": [0.5, 0.25]}, \
        {"layer": "sn2", "rates": [0.0, 0.125]}], \
        "validation_firing_rates": [{"layer": "sn1", "rates": [0.1, 0.2], "silent": 0.5}]}
        """))
    #expect(record.csv == epoch.csv)
    let values = record.eventValues
    #expect(values.contains(EventValue("epoch/validation_loss", .scalar(0.5))))
    #expect(values.contains(EventValue("epoch/rss_bytes", .scalar(1_048_576))))
    #expect(
      values.suffix(3) == [
        EventValue("firing_rate/sn1", .scalar(25.0 / 60)),
        EventValue("firing_rate/sn2", .scalar(1.0 / 24)), EventValue("silent/sn1", .scalar(0.5)),
      ])
    // Neither texts, nor where the run stood, nor what was not measured.
    #expect(!values.contains { $0.tag.hasSuffix("/iteration") || $0.tag == "epoch/train_loss" })
  }

  /// As an earlier program has written it, with fewer columns.
  @Test func aTableWithFewerColumnsGoesOn() throws {
    let header = MetricsRecord.csvHeader.split(separator: ",").dropLast(2).joined(separator: ",")
    let row = interval.csv.split(separator: ",", omittingEmptySubsequences: false).dropLast(2)
      .joined(separator: ",")
    try directory.write("\(header)\n\(row)\n\(row),1\n", to: "metrics.csv")
    try MetricsLog(directory: directory.path).append(epoch)
    #expect(
      try lines("metrics.csv") == [MetricsRecord.csvHeader, row + ",,", epoch.csv])
  }

  private func lines(_ name: String) throws -> [String] {
    try text(name).split(separator: "\n").map { String($0) }
  }

  private func add(_ text: String, to name: String) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: directory.file(name)))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  /// Also where an earlier program has gone on after a line that was cut short.
  @Test func whatWasCutShortIsTakenBack() throws {
    try MetricsLog(directory: directory.path).append(interval)
    try add("{\"kind\": \"inter\n{\"kind\": \"interval\", \"ep", to: "metrics.jsonl")
    try add("interval,1,2\ninterv", to: "metrics.csv")
    let log = try MetricsLog(directory: directory.path)
    #expect(try lines("metrics.jsonl") == [interval.json])
    try log.append(epoch)
    #expect(try lines("metrics.jsonl") == [interval.json, epoch.json])
    #expect(try lines("metrics.csv") == [MetricsRecord.csvHeader, interval.csv, epoch.csv])
  }

  /// A run that goes on makes anew what comes after its checkpoint, also the epoch's record if the
  /// checkpoint is from before its validation.
  @Test func dropsWhatIsMadeAnew() throws {
    var later = interval
    later.iteration = 50
    do {
      let log = try MetricsLog(directory: directory.path)
      for record in [interval, epoch, later] { try log.append(record) }
    }
    var position = RunPosition(epoch: 1, iteration: 45)
    position.validatedIteration = 45
    _ = try MetricsLog(directory: directory.path, from: position)
    #expect(try lines("metrics.jsonl") == [interval.json, epoch.json])
    #expect(try lines("metrics.csv") == [MetricsRecord.csvHeader, interval.csv, epoch.csv])
    position.validatedIteration = 0
    _ = try MetricsLog(directory: directory.path, from: position)
    #expect(try lines("metrics.jsonl") == [interval.json])
    #expect(try lines("metrics.csv") == [MetricsRecord.csvHeader, interval.csv])
    _ = try MetricsLog(directory: directory.path, from: RunPosition())
    #expect(try text("metrics.jsonl").isEmpty)
  }

  @Test func whatWasNotMeasuredIsNull() throws {
    let none = MetricsRecord(
      .interval, epoch: 1, iteration: 10, samples: 1000, trainLoss: nil, trainAccuracy: nil,
      learningRate: 0.1, firingRate: nil, imagesPerSecond: nil, dataWait: nil, seconds: 1.5,
      peakRSS: 1 << 20, rss: 1 << 20, gradientNorm: nil)
    #expect(
      none.json == """
        {"kind": "interval", "epoch": 1, "iteration": 10, "samples": 1000, "train_loss": null, \
        "train_accuracy": null, "learning_rate": 0.1, "firing_rate": null, \
        "images_per_second": null, "data_wait": null, "seconds": 1.5, "peak_rss_bytes": 1048576, \
        "rss_bytes": 1048576, "gradient_norm": null}
        """)
    #expect(none.csv == "interval,1,10,1000,,,,,,0.1,,,,1.5,1048576,1048576,")
  }

  @Test func aPipeIsNotWaitedFor() throws {
    #expect(mkfifo(directory.file("metrics.jsonl"), 0o600) == 0)
    #expect(
      message { _ = try MetricsLog(directory: directory.path) }
        == "\(directory.path)/metrics.jsonl: cannot read metrics: it is not a regular file")
  }

  @Test func namesThePathAndTheReason() throws {
    try FileManager.default.removeItem(atPath: directory.path)
    #expect(
      message { _ = try MetricsLog(directory: directory.path) }
        == "\(directory.path)/metrics.jsonl: cannot write metrics: No such file or directory")
  }
}
