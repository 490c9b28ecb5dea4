import Configuration
import Distributed
import SafeTensors
import SpikingNetworks
import Support
import Tensors

/// One iteration without an update, from and to safetensors files, for comparison with other
/// implementations.
public final class GradientProbe {
  private let configuration: Configuration
  private let network: SpikingNetwork
  private let teacher: Teacher?
  private let batch: SafeTensorsFile
  private let labels: [Int]
  private let output: String
  private static let kind = ResultKind(
    "file of gradients",
    includes: { path in
      let names = (try? SafeTensorsFile(contentsOf: path))?.names
      return names.map { Set(["logits", "loss", "firing_rate"]).isSubset(of: $0) } ?? false
    })
  /// [1 or T, N, C, H, W]
  private let frameShape: [Int]

  /// - Parameters:
  ///   - weights: path of a file with parameters as NAME or param.NAME, running statistics as NAME or
  ///     buffer_before.NAME.
  ///   - batch: path of a file with `frames` [1 or T, N, C, H, W] and `labels` [N].
  ///   - output: path of the file to write.
  public init(
    _ configuration: Configuration, weights: String, batch: String, output: String,
    backend: ConvolutionBackend
  ) throws {
    self.configuration = configuration
    // Before the work, whether it can be written.
    self.output = try Self.kind.requireReplaceable(output)
    let weightFile = try SafeTensorsFile(contentsOf: weights)
    self.batch = try SafeTensorsFile(contentsOf: batch)
    labels = try self.batch.integers("labels")
    frameShape = try self.batch.shape(of: "frames")
    let needsData = configuration.model.classes == nil && configuration.data.path != nil
    let specification = try configuration.networkSpecification(
      classes: needsData ? DataSplits(configuration).classes().count : nil)
    network = try SpikingNetwork(specification, backend: backend, seed: configuration.training.seed)
    teacher = try TeacherCheckpoint(
      of: configuration, student: specification, classes: nil, SingleProcess()
    )?.load(backend, arena: network.arena, SingleProcess())
    let isPrefixed = weightFile.names.contains { $0.hasPrefix("param.") }
    try network.load(
      weightFile, parameterPrefix: isPrefixed ? "param." : "",
      statisticPrefix: isPrefixed ? "buffer_before." : "", requiresStatistics: false,
      allowsOthers: true)
    try checkBatch()
  }

  private func checkBatch() throws {
    let (timesteps, input) = (configuration.method.timesteps, network.specification.input)
    let expected = [labels.count, input.c, input.h, input.w]
    guard !labels.isEmpty else {
      throw CheckpointError(path: batch.path, problem: "holds no labels, and so no batch")
    }
    guard frameShape.count == 5, Array(frameShape[1...]) == expected,
      frameShape[0] == 1 || frameShape[0] == timesteps
    else {
      throw CheckpointError(
        path: batch.path,
        problem:
          "holds frames \(frameShape); with \(Format.counted(labels.count, "label")) and this"
          + " configuration they"
          + " must be [1 or \(timesteps), \(expected.map(String.init).joined(separator: ", "))]")
    }
    let classes = network.specification.classes
    guard let bad = labels.first(where: { $0 < 0 || $0 >= classes }) else { return }
    throw CheckpointError(
      path: batch.path,
      problem: "holds the label \(bad), but the network has \(Format.counted(classes, "class"))")
  }

  /// Runs the iteration and writes what came out.
  ///
  /// - Parameter trainedTimesteps: the time steps that SLTT-K back-propagates, from 0; drawn if `nil`.
  public func run(trainedTimesteps: [Int]?) throws {
    let rule = try learningRule(recording: trainedTimesteps)
    let step = TrainingStep(
      network, rule, loss: configuration.lossSpecification, teacher: teacher)
    let frame = Tensor(
      nchw: try batch.floats("frames"),
      network.specification.input.withSamples(frameShape[0] * frameShape[1]), in: network.arena)
    let frames =
      frameShape[0] == 1
      ? FrameSequence(static: frame) : FrameSequence(frame, timesteps: rule.timesteps)
    var logits: [Float] = []
    step.accumulateGradients(
      frames, labels: labels, globalCount: labels.count,
      context: IterationContext(seed: configuration.training.seed)
    ) { _, values in logits += values.elements }
    network.completeGradients()
    network.gatherStatistics(share: 1)
    network.updateStatistics()
    try write(logits, step.loss.value)
  }

  private func learningRule(recording steps: [Int]?) throws -> LearningRule {
    guard let steps else { return configuration.method.rule }
    let method = configuration.method
    guard method.name == .slttK else {
      throw TrainingError(
        description:
          "--trained-timesteps is for sltt-k, and method.name is \(method.name.rawValue):"
          + " leave it out")
    }
    let count = method.k ?? method.timesteps
    let isValid =
      Set(steps).count == count && steps.count == count
      && steps.allSatisfy { (0..<method.timesteps).contains($0) }
    guard isValid else {
      throw TrainingError(
        description: "--trained-timesteps \(steps) must name \(count) different time"
          + " steps below \(method.timesteps), for method.name sltt-k with that k")
    }
    return .sltt(timesteps: method.timesteps, recording: Set(steps))
  }

  private func write(_ logits: [Float], _ loss: Double) throws {
    let activity = network.activity
    let rate = Float(activity.spikes) / Float(max(activity.neuronSteps, 1))
    let timesteps = logits.count / (labels.count * network.specification.classes)
    var tensors: [SafeTensor] = [
      .floats(
        "logits", shape: [timesteps, labels.count, network.specification.classes], logits),
      .floats("loss", shape: [], [Float(loss)]),
      .floats("firing_rate", shape: [], [rate]),
    ]
    tensors += network.store.parametersInForwardOrder.map { parameter in
      .floats(
        "grad." + parameter.name, shape: parameter.shape, parameter.published(parameter.gradient))
    }
    tensors += network.store.statistics.map { statistic in
      .floats(
        "buffer_after." + statistic.name, shape: statistic.shape,
        statistic.published(statistic.values))
    }
    try SafeTensorsWriter.write(tensors, to: output)
  }
}
