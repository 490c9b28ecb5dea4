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

  @Test func otherDirectoriesAreNoRuns() throws {
    let directory = try TemporaryDirectory()
    let error = try #require(throws: TrainingError.self) { try RunHistory(run: directory.path) }
    #expect("\(error)" == "\(directory.path) is not the directory of a run: it has no config.yaml")
  }
}
