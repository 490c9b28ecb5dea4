import Configuration
import Foundation
import SafeTensors
import SpikingNetworks
import Support
import TestSupport
import Testing

@testable import Training

/// What the probe computes is held against the reference in CommandLineTests.
struct GradientProbeTests {
  private let directory: TemporaryDirectory
  private let weights: String
  private let batch: String
  private let output: String

  init() throws {
    directory = try TemporaryDirectory()
    (weights, batch, output) = (
      directory.file("weights"), directory.file("batch"), directory.file("output")
    )
  }

  private static let network = [
    "model.blocks=[1]", "model.width=2", "model.classes=3", "data.image_size=8",
    "method.timesteps=3",
  ]

  /// The probe of a small network, with weights of its own.
  ///
  /// - Parameter frames: shape of the frames; [1 or T, N, C, H, W].
  private func probe(
    _ overrides: String..., frames: [Int] = [1, 2, 1, 8, 8], labels: [Int] = [0, 2],
    hasStatistics: Bool = true
  ) throws -> GradientProbe {
    let configuration = try Configuration(file: nil, overrides: Self.network + overrides)
    let count = frames.reduce(1, *)
    let pattern: [Float] = (0..<count).map { Float($0 * 37 % 101) / 25 - 2 }
    try SafeTensorsWriter.write(
      [
        .integers("labels", shape: [labels.count], labels),
        .floats("frames", shape: frames, pattern),
      ], to: batch)
    let network = try SpikingNetwork(configuration.networkSpecification(classes: nil), seed: 5)
    let parameters =
      network.store.parameters + (hasStatistics ? network.store.statistics : [])
    try SafeTensorsWriter.write(
      parameters.map { parameter in
        .floats(parameter.name, shape: parameter.shape, parameter.published(parameter.values))
      }, to: weights)
    return try GradientProbe(
      configuration, weights: weights, batch: batch, output: output, backend: .oneDNN)
  }

  private func logits(_ probe: GradientProbe, _ trained: [Int]? = nil) throws -> [Float] {
    try withOneThread { try probe.run(trainedTimesteps: trained) }
    return try SafeTensorsFile(contentsOf: output).floats("logits")
  }

  @Test func aBatchHasLabels() throws {
    let error = #expect(throws: CheckpointError.self) {
      try probe(frames: [1, 0, 1, 8, 8], labels: [])
    }
    #expect(error?.problem == "holds no labels, and so no batch")
  }

  @Test func aStaticImageIsTheSameFrameRepeated() throws {
    let once = try logits(try probe())
    #expect(once.count == 3 * 2 * 3)
    let frames = try SafeTensorsFile(contentsOf: batch).floats("frames")
    #expect(try logits(try probe(frames: [3, 2, 1, 8, 8])) != once)
    try SafeTensorsWriter.write(
      [
        .integers("labels", shape: [2], [0, 2]),
        .floats("frames", shape: [3, 2, 1, 8, 8], frames + frames + frames),
      ], to: batch)
    let configuration = try Configuration(file: nil, overrides: Self.network)
    let same = try GradientProbe(
      configuration, weights: weights, batch: batch, output: output, backend: .oneDNN)
    #expect(try logits(same) == once)
  }

  @Test func replacesNothingButGradients() throws {
    _ = try logits(try probe())
    _ = try logits(try probe())
    try Data("precious".utf8).write(to: URL(fileURLWithPath: output))
    #expect(
      #expect(throws: FileError.self) { try probe() }
        == .occupied(path: output, wanted: "file of gradients"))
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "precious")
  }

  @Test func runningStatisticsMayBeLeftOut() throws {
    let with = try logits(try probe())
    #expect(try logits(try probe(hasStatistics: false)) == with)
  }

  /// The drawn time steps are those of a run's first iteration.
  @Test func drawsTheTrainedStepsUnlessTheyAreNamed() throws {
    func loss(_ trained: [Int]?) throws -> Float {
      let probe = try probe("method.name=sltt-k", "method.k=1")
      try probe.run(trainedTimesteps: trained)
      return try SafeTensorsFile(contentsOf: output).floats("loss")[0]
    }
    let drawn = LearningRule.slttK(timesteps: 3, k: 1)
      .recordedTimesteps(seed: Configuration().training.seed, iteration: 0)
    let losses = try (0..<3).map { try loss([$0]) }
    #expect(try loss(nil) == losses[drawn.firstIndex(of: true)!])
    #expect(Set(losses).count > 1)
  }

  @Test func explainsABatchThatDoesNotFit() throws {
    #expect(
      message { _ = try probe(frames: [2, 2, 1, 8, 8]) }
        == "\(batch) holds frames [2, 2, 1, 8, 8]; with 2 labels and this configuration they must be"
        + " [1 or 3, 2, 1, 8, 8]")
    #expect(
      message { _ = try probe(frames: [1, 2, 1, 8, 8], labels: [0, 1, 2]) }.contains("3 labels"))
    #expect(
      message { _ = try probe(frames: [2, 1, 8, 8]) }.contains("must be [1 or 3, 2, 1, 8, 8]"))
    #expect(
      message { _ = try probe(labels: [0, 3]) }
        == "\(batch) holds the label 3, but the network has 3 classes")
    #expect(message { _ = try probe(labels: [-1, 0]) }.contains("holds the label -1"))
  }

  @Test func trainedStepsAreForSLTTKOnly() throws {
    let probe = try probe()
    #expect(
      message { try probe.run(trainedTimesteps: [0]) }
        == "--trained-timesteps is for sltt-k, and method.name is sltt: leave it out")
  }
}
