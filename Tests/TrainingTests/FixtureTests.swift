import Foundation
import SafeTensors
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

/// The learning rule against numbers of an independent implementation in PyTorch (float64): every
/// family, every method, neuron and normalisation, both back ends.
@Suite struct FixtureTests {
  /// Largest difference allowed, relative to a tensor's largest entry.
  static let tolerance: Float = 1e-4

  @Test(arguments: ReferenceCase.all)
  func oneDNNReproduces(_ name: String) throws {
    try check(name, .oneDNN)
  }

  @Test(arguments: ReferenceCase.all)
  func openBLASReproduces(_ name: String) throws {
    try check(name, .openBLAS)
  }

  @Test(arguments: ReferenceCase.all, ConvolutionBackend.Library.allCases)
  func eventKernelsReproduce(_ name: String, _ library: ConvolutionBackend.Library) throws {
    try check(name, ConvolutionBackend(library, kernels: .events))
  }

  @Test(arguments: ReferenceCase.all)
  func tilesReproduce(_ name: String) throws {
    try check(name, ConvolutionBackend(.oneDNN, kernels: .tiles))
  }

  @Test(arguments: ReferenceCase.all)
  func winogradsMethodReproduces(_ name: String) throws {
    try check(name, ConvolutionBackend(.oneDNN, kernels: .winograd))
  }

  /// With memory saved, spikes and logits are the same, and gradients as far off as bfloat16 lets them be.
  @Test(arguments: ReferenceCase.all)
  func leanMemoryComesClose(_ name: String) throws {
    let fixture = try ReferenceCase(name)
    func run(_ memory: MemoryUse) throws -> (logits: [Float], network: SpikingNetwork, tape: Int) {
      let network = try fixture.network(.init(kernels: .events), memory: memory)
      let step = TrainingStep(network, fixture.rule, loss: fixture.loss)
      var logits: [Float] = []
      fixture.accumulateGradients(step, network.arena) { logits += $0 }
      network.completeGradients()
      return (logits, network, step.peakTapeBytes)
    }
    let (fast, lean) = (try run(.fast), try run(.lean))
    #expect(lean.logits == fast.logits)
    // One pass through averages keeps nothing in half the memory.
    let hasBatchNorm = !fixture.rule.takesAverages && !fast.network.store.statistics.isEmpty
    #expect(hasBatchNorm ? lean.tape < fast.tape : lean.tape == fast.tape)
    var isEqual = true
    // Gradients of biases that batch norm takes away again are 0 but for rounding.
    let scale = fast.network.store.gradients.elements.reduce(0) { max($0, abs($1)) }
    for (exact, rounded) in zip(fast.network.store.parameters, lean.network.store.parameters) {
      let (exact, rounded) = (exact.gradient.elements, rounded.gradient.elements)
      let own = exact.reduce(0) { max($0, abs($1)) }
      let largest = own > 1e-3 * scale ? own : scale
      let difference = largestDifference(exact, rounded)
      #expect(difference <= 0.01 * largest)
      if difference > 0 { isEqual = false }
    }
    #expect(!(isEqual && hasBatchNorm))
  }

  private func check(_ name: String, _ backend: ConvolutionBackend) throws {
    let fixture = try ReferenceCase(name)
    let network = try fixture.network(backend)
    let step = TrainingStep(network, fixture.rule, loss: fixture.loss)
    var logits: [Float] = []
    fixture.accumulateGradients(step, network.arena) { logits += $0 }
    network.completeGradients()
    network.gatherStatistics(share: 1)
    network.updateStatistics()

    try fixture.expect(logits, equals: "logits", in: "logits")
    try fixture.expect([Float(step.loss.value)], equals: "loss", in: "loss")
    let activity = network.activity
    try fixture.expect(
      [Float(activity.spikes) / Float(activity.neuronSteps)], equals: "firing_rate",
      in: "firing rate")
    for parameter in network.store.parameters {
      try fixture.expect(
        parameter.published(parameter.gradient), equals: "grad.\(parameter.name)",
        in: parameter.name)
    }
    for statistic in network.store.statistics {
      try fixture.expect(
        statistic.published(statistic.values), equals: "buffer_after.\(statistic.name)",
        in: statistic.name)
    }

    let optimizer = SGD(
      count: network.store.weights.count, momentum: fixture.sgd.momentum,
      weightDecay: fixture.sgd.weight_decay)
    optimizer.update(
      network.store.weights.all, along: network.store.gradients, learningRate: fixture.sgd.lr)
    network.weightsDidChange()
    network.store.gradients.fill(0)
    fixture.accumulateGradients(step, network.arena) { _ in }
    network.completeGradients()
    optimizer.update(
      network.store.weights.all, along: network.store.gradients, learningRate: fixture.sgd.lr)
    for parameter in network.store.parameters {
      try fixture.expect(
        parameter.published(parameter.values),
        equals: "param_after_2_sgd_steps.\(parameter.name)", in: "updated \(parameter.name)")
    }
  }
}

extension ReferenceCase {
  var timesteps: Int { settings.timesteps }
  var sgd: Settings.SGD { settings.sgd }

  var rule: LearningRule {
    switch settings.method {
    case "bptt": .bptt(timesteps: timesteps)
    case "sltt-k": .sltt(timesteps: timesteps, recording: Set(settings.chosen_timesteps))
    case "ottt": .ottt(timesteps: timesteps)
    case "rate": .rate(timesteps: timesteps)
    default: .sltt(timesteps: timesteps)
    }
  }

  var loss: LossSpecification {
    LossSpecification(
      kind: rule.takesAverages ? .lossOfMean : .meanOfLosses, mseWeight: settings.mse_weight,
      mseTarget: .init(rawValue: settings.mse_target)!,
      mseMean: settings.mse_mean)
  }

  private var neuron: NeuronSpecification {
    NeuronSpecification(
      kind: .init(rawValue: settings.neuron ?? "lif")!, tau: settings.tau,
      thresholdRule: .init(rawValue: settings.threshold ?? "fixed")!,
      reset: Reset(rawValue: settings.reset ?? "soft")!,
      detachesReset: settings.detach_reset ?? false, levels: settings.levels ?? 1,
      firing: Firing(rawValue: settings.firing ?? "floor")!,
      surrogate: SurrogateGradient(.init(rawValue: settings.surrogate)!))
  }

  /// The network with the fixture's parameters.
  func network(
    _ backend: ConvolutionBackend, memory: MemoryUse = .fast
  ) throws -> SpikingNetwork {
    let network = try SpikingNetwork(
      NetworkSpecification(
        family: NetworkFamily(rawValue: family)!, blocks: blocks,
        width: settings.width, stem: StemKind(rawValue: settings.stem ?? "cifar")!,
        classes: settings.classes, inputChannels: settings.channels, imageSize: settings.size,
        normalization: NormalizationKind(rawValue: settings.normalization ?? "batch")!,
        neuron: neuron, memory: memory),
      backend: backend, seed: 1, arena: Arena(capacity: 1 << 30))
    for parameter in network.store.parameters {
      parameter.assign(
        published: try file.floats("param.\(parameter.name)", shape: parameter.shape),
        to: parameter.values)
    }
    for statistic in network.store.statistics {
      statistic.assign(
        published: try file.floats("buffer_before.\(statistic.name)", shape: statistic.shape),
        to: statistic.values)
    }
    network.weightsDidChange()
    return network
  }

  /// Runs the fixture's batch; `observe` gets each time step's logits.
  func accumulateGradients(_ step: TrainingStep, _ arena: Arena, observe: ([Float]) -> Void) {
    let labels = try! file.integers("labels")
    let shape = try! file.shape(of: "frames")
    let (steps, samples, channels, size) = (shape[0], shape[1], shape[2], shape[3])
    let frame = Tensor(
      nchw: try! file.floats("frames"),
      Shape(n: steps * samples, h: size, w: size, c: channels), in: arena)
    let frames =
      settings.static
      ? FrameSequence(static: frame) : FrameSequence(frame, timesteps: timesteps)
    step.accumulateGradients(
      frames, labels: labels, globalCount: samples, context: IterationContext()
    ) { _, logits in observe(logits.elements) }
  }

  /// Compares with a tensor of the file.
  func expect(_ actual: [Float], equals tensor: String, in what: String) throws {
    let difference = try relativeDifference(actual, from: tensor)
    #expect(difference <= FixtureTests.tolerance, "\(what) differs by \(difference)")
  }
}
