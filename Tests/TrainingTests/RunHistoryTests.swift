import Configuration
import TestSupport
import Testing
import Training

struct RunHistoryTests {
  @Test func readsWhatEarlierVersionsWrote() throws {
    let directory = try TemporaryDirectory()
    try directory.write("training: {epochs: 2}\n", to: "config.yaml")
    try directory.write(
      """
      {"kind": "interval", "epoch": 1, "iteration": 5, "samples": 50, "train_loss": null, \
      "learning_rate": 0.1, "seconds": 1, "peak_rss_bytes": 1}
      {"kind": "epoch", "epoch": 1, "iteration": 10, "samples": 100, "train_loss": 2, \
      "validation_accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 20, "seconds": 2, \
      "peak_rss_bytes": 1, "convolutions": {"conv1": {"forward": "onednn"}, \
      "conv2": {"input_density": 0.25, "forward": "events"}}}
      {"kind": "epoch", "epoch": 2, "iteration": 20, "samples": 200, "train_loss": 1, \
      "validation_accuracy": 0.25, "learning_rate": 0.1, "images_per_second": 60, "seconds": 4, \
      "peak_rss_bytes": 1}
      {"kind": "epoch", "epoch": 3, "iter
      """, to: "metrics.jsonl")
    let history = try RunHistory(run: directory.path)
    #expect(history.intervals.map(\.iteration) == [5] && history.intervals[0].trainLoss == nil)
    #expect(history.epochs.map(\.epoch) == [1, 2])
    #expect(history.isComplete && history.bestAccuracy == 0.5)
    // As many images at 20 as at 60 a second.
    #expect(history.imagesPerSecond == 30)
    #expect(history.epochs[0].convolutions?["conv2"]?.inputDensity == 0.25)
    #expect(history.epochs[0].convolutions?["conv1"]?.inputDensity == nil)
  }

  /// A run that was limited ends with a validation in the middle of an epoch. Without the limit it goes on.
  @Test(arguments: [(nil, 15, false), (15, 15, true), (nil, 20, true), (12, 15, true)])
  func aRunIsCompleteAtItsEnd(limit: Int?, iteration: Int, isComplete: Bool) throws {
    let directory = try TemporaryDirectory()
    let limit = limit.map { ", max_iterations: \($0)" } ?? ""
    try directory.write("training: {epochs: 2\(limit)}\n", to: "config.yaml")
    func record(_ fields: String) -> String {
      """
      {"kind": "epoch", \(fields), "samples": 1, "validation_accuracy": 0.5, "learning_rate": 0.1, \
      "seconds": 1, "peak_rss_bytes": 1}

      """
    }
    let first = record("\"epoch\": 1, \"iteration\": 10")
    let epoch = "\"epoch\": 2, \"iteration\": \(iteration)"
    for last in [record(epoch), record(epoch + ", \"iterations_per_epoch\": 10")] {
      try directory.write(first + last, to: "metrics.jsonl")
      let history = try RunHistory(run: directory.path)
      #expect(history.isComplete == isComplete)
      #expect(history.iterationsPerEpoch == 10)
    }
  }

  /// Numbers that no run writes would break what computes with them.
  @Test(arguments: [
    "\"iterations_per_epoch\": 0", "\"train_accuracy\": 1e308", "\"train_loss\": 1e308",
    "\"expected_bytes\": {\"weights\": 9223372036854775807, \"tape\": 9223372036854775807}",
    "\"peak_rss_bytes\": -1", "\"phase_seconds\": {\"norm\": 1e308}",
  ])
  func damagedRecordsArePassedOver(field: String) throws {
    let directory = try TemporaryDirectory()
    try directory.write("training: {epochs: 2}\n", to: "config.yaml")
    func record(_ fields: String...) -> String {
      let common = #""kind": "epoch", "samples": 1, "learning_rate": 0.1, "seconds": 1"#
      return "{" + ([common] + fields).joined(separator: ", ") + "}\n"
    }
    try directory.write(
      record(#""epoch": 1, "iteration": 10"#) + record(#""epoch": 2, "iteration": 20"#, field),
      to: "metrics.jsonl")
    #expect(try RunHistory(run: directory.path).epochs.map(\.epoch) == [1])
  }

  @Test func otherDirectoriesAreNoRuns() throws {
    let directory = try TemporaryDirectory()
    let error = try #require(throws: TrainingError.self) { try RunHistory(run: directory.path) }
    #expect("\(error)" == "\(directory.path) is not the directory of a run: it has no config.yaml")
  }
}
