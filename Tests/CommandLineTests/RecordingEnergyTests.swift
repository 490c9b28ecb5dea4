import Foundation
import TestSupport
import Testing

/// Operations of a network that reads recordings of events, whose first layer reads counts.
struct RecordingEnergyTests {
  private let workspace: Workspace

  /// Frames of 17x17 pixels and 2 polarities; 4 channels at every second pixel, 9x9; and two classes.
  init() throws {
    workspace = try Workspace()
    try workspace.writeRecordings(to: "events")
    try workspace.directory.write(
      """
      model:
        layers:
          - convolution: {name: conv, channels: 4, kernel: 3, stride: 2}
          - neuron: {name: sn, threshold: 0.1}
          - linear: {name: fc}
      method: {timesteps: 3}
      training: {epochs: 1, global_batch: 4}
      data: {path: events, image_size: 17, augmentation: none, normalization: none}

      """, to: "events.yaml")
    let training = try workspace.run("train", "--config", "events.yaml", "--output", "run")
    try #require(training.status == 0, "\(training.errors)")
  }

  // Of one time step: output positions x weights.
  private let convolution = 9 * 9 * (3 * 3 * 2 * 4)
  private let linear = 9 * 9 * 4 * 2

  private struct Measured: Decodable {
    struct Firing: Decodable {
      let layer: String
      let neurons: Int
      let rates: [Double]
    }
    struct Layer: Decodable {
      let name: String
      let macs, acs: Double
      let input_rate: Double?
      let ann_macs: Double
    }
    struct Operations: Decodable { let layers: [Layer] }

    let firing: [Firing]
    let operations: Operations
  }

  /// A recipe's keys cannot be left out on the command line.
  @Test func whatHasNoEffectCanBeSetBack() throws {
    try workspace.directory.write(
      workspace.text("events.yaml").replacing(
        "path: events", with: "path: events, convention: sltt"),
      to: "recipe.yaml")
    let train = ["train", "--config", "recipe.yaml", "--output", "other"]
    let refused = try workspace.run(train)
    #expect(refused.status == 1)
    #expect(refused.errors.contains("leave it out, or set it to spikingjelly"))
    #expect(try workspace.run(train + ["--set", "data.convention=spikingjelly"]).status == 0)
  }

  @Test func evaluationCountsWhatPassesAtEachTimeStep() throws {
    let run = try workspace.run(
      "evaluate", "--checkpoint", "run", "--energy", "--json", "x.json", "--mac-energy", "2",
      "--ac-energy", "0.5")
    #expect(run.status == 0 && run.errors == "")
    let measured = try JSONDecoder().decode(
      Measured.self, from: Data(workspace.text("x.json").utf8))
    let (layers, neurons) = (measured.operations.layers, try #require(measured.firing.first))
    #expect(layers.map(\.name) == ["conv", "fc"])
    #expect(neurons.layer == "sn" && neurons.neurons == 9 * 9 * 4 && neurons.rates.count == 3)
    // The first layer multiplies at each of three time steps, an ANN once.
    #expect(layers[0].input_rate == nil && layers[0].acs == 0)
    #expect(layers[0].macs == Double(3 * convolution))
    #expect(layers[0].ann_macs == Double(convolution))
    // Each spike of the neurons, at all time steps, meets the weights of two classes.
    let spikes = neurons.rates.reduce(0) { $0 + $1 * 324 }
    #expect(spikes > 0 && layers[1].macs == 0 && layers[1].ann_macs == Double(linear))
    #expect(abs(layers[1].acs - 2 * spikes) < 1e-6 * spikes)
    // 17,496 MACs of 2 pJ; of an ANN 5,832.
    let first = try #require(run.value("conv "))
    #expect(first.hasPrefix("conv 3x3 /2  not spikes  17,496 "))
    #expect(first.contains(" 35.0 nJ ") && first.hasSuffix(" 5,832  11.7 nJ"))
  }

  /// Whether the recordings are where they were or not.
  @Test(arguments: [true, false]) func inspectionCountsTheSame(hasData: Bool) throws {
    if !hasData {
      try FileManager.default.removeItem(atPath: workspace.file("events"))
      let configuration = try workspace.text("events.yaml")
      try workspace.directory.write(
        configuration.replacing("path: events, ", with: "frames: {number: 3, split_by: number}, "),
        to: "events.yaml")
    }
    let run = try workspace.run(
      "inspect", "--config", "events.yaml", "--set", "model.classes=2", "--firing-rate", "0.25",
      usesOneThread: false)
    #expect(run.status == 0 && run.errors == "")
    let checkpoint = try workspace.run("inspect", "--checkpoint", "run", usesOneThread: false)
    #expect(checkpoint.status == 0 && checkpoint.errors == "")
    for text in [run.output, checkpoint.output] {
      #expect(text.contains("\nconv   conv 3x3 /2  not spikes  17,496 "))
    }
    // 0.25 x 3 time steps x 648.
    #expect(run.output.contains(#/\nfc .* 25\.0 % +486 /#))
  }
}
