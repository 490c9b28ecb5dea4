import Foundation
import TestSupport
import Testing

/// What TensorBoard shows of our runs.
@Suite(.enabled(if: TensorBoardEvents.canBeRead, "no Python with tensorboard"))
struct TensorBoardTests {
  private struct Layer: Decodable {
    let layer: String
    let rates: [Double]
  }

  /// Also where a run has gone on from an earlier checkpoint than the last one.
  @Test func showsWhatTheMetricsSay() throws {
    let workspace = try Workspace.withImages()
    let whole = try workspace.run(
      "train", "--config", "small.yaml", "--output", "run", "--set", "metrics.histograms_every=5",
      "--set", "checkpoint.every_iterations=1", "--set", "checkpoint.keep=10")
    try #require(whole.status == 0, "\(whole.errors)")
    let checkpoints = workspace.file("run/checkpoints")
    let first = try #require(
      try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted()
        .first { $0.hasPrefix("iteration-") })
    let again = try workspace.run("train", "--resume", "run/checkpoints/\(first)")
    try #require(again.status == 0, "\(again.errors)")
    let shown = try TensorBoardEvents(directory: workspace.file("run"))
    var (numbers, layers) = (0, 0)
    for line in try workspace.text("run/metrics.jsonl").split(separator: "\n") {
      let record = try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      let (kind, step) = (record["kind"] as! String, record["iteration"] as! Int)
      for (name, value) in record {
        let positions = ["epoch", "iteration", "samples", "iterations_per_epoch"]
        guard let number = value as? Double, !positions.contains(name) else { continue }
        let value = try #require(shown.scalars["\(kind)/\(name)"]?[step], "\(kind)/\(name)")
        #expect(Float(value) == Float(number), "\(kind)/\(name)")
        numbers += 1
      }
      guard let rates = record["firing_rates"] else { continue }
      let json = try JSONSerialization.data(withJSONObject: rates)
      for layer in try JSONDecoder().decode([Layer].self, from: json) {
        let rate = try #require(shown.scalars["firing_rate/\(layer.layer)"]?[step])
        #expect(abs(rate - layer.rates.reduce(0, +) / 2) < 1e-6)
        #expect(shown.scalars["silent/\(layer.layer)"]?[step] != nil)
        layers += 1
      }
    }
    // Nothing else is shown.
    #expect(shown.scalars.values.reduce(0) { $0 + $1.count } == numbers + 2 * layers)
    #expect(layers == 2 * 4 && shown.scalars["interval/gradient_norm"]?.count == 6)
    for tag in ["weights/conv1.weight", "gradients/fc.bias", "membrane_potential/layer1.0.sn1"] {
      #expect(shown.histograms[tag] != nil, "\(tag)")
    }
  }
}
