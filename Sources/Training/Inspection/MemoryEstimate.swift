import Configuration
import SpikingNetworks
import Tensors

/// The memory that a rank is expected to need: what it has before the network is made, and what follows
/// from the network's shape and the number of threads.
public struct MemoryEstimate: Equatable, Sendable {
  /// The process before it had a network, and what it loads and compiles afterwards.
  public let programBytes: Int
  /// Weights and running statistics.
  public let weightBytes: Int
  /// Of the weights, with what layers need beside for OTTT.
  public let gradientBytes: Int
  /// The optimizer's state, as far as this rank has it.
  public let optimizerBytes: Int
  /// Weights in the layouts of those who compute.
  public let packedBytes: Int
  /// What the tape holds at its fullest.
  public let tapeBytes: Int
  /// State that passes from one time step to the next, besides what the tape holds.
  public let stateBytes: Int
  /// Tensors that live while a layer works, scratch memory of its threads, or for the stem of an image;
  /// and holes between tensors.
  public let temporaryBytes: Int
  /// The weights of the network that is learnt from, and what its activations take beyond those of
  /// training, in whose memory they live.
  public private(set) var teacherBytes = 0
  /// Batches decoded ahead, and photographs that are being decoded.
  public let loaderBytes: Int
  /// What rank 0 holds besides while it writes a checkpoint: copies of weights and optimizer state,
  /// where training goes on, and of one parameter in the shape of the file.
  public let checkpointBytes: Int

  /// Code and tables of libraries that the first iteration touches.
  private static let laterBytes = 3 << 20
  /// The stack of a thread and what libraries keep for it.
  private static let threadBytes = 128 << 10

  /// - Parameters:
  ///   - samples: local samples that go through the network at once.
  ///   - rule: the learning rule; `nil`: nothing goes back.
  ///   - optimizerBuffers: of the optimizer's state, each as large as the weights.
  ///   - stateRanks: ranks among which that state is divided.
  ///   - isStatic: whether a sample is one image for all time steps.
  ///   - loadedFrames: that the loader holds; three batches of images by default.
  ///   - decoders: threads that decode photographs, which may have 50 times the input's pixels.
  ///   - before: resident bytes of the process before the network was made.
  public init(
    _ network: NetworkPlan, samples: Int, rule: LearningRule?, optimizerBuffers: Int,
    stateRanks: Int = 1, isStatic: Bool = true, loadedFrames: Int? = nil, decoders: Int = 0,
    before: Int
  ) {
    let summaries = network.layers.map { $0.summary.keeping(what: rule) }
    let window = rule?.window ?? 0
    let parameters = network.weightCount
    programBytes =
      before + Self.laterBytes + (ThreadPool.threads + decoders) * Self.threadBytes
    weightBytes = 4 * (parameters + network.statisticCount)
    gradientBytes =
      4 * parameters
      + (rule?.keepsTraces == true ? summaries.reduce(0) { $0 + $1.untracedBytes } : 0)
    optimizerBytes = 4 * (parameters * optimizerBuffers / stateRanks)
    packedBytes = Self.packedBytes(network, samples: samples)
    let largestParameter = network.largestParameter
    checkpointBytes =
      4
      * (network.specification.memory == .fast
        ? parameters * (1 + optimizerBuffers) + largestParameter
        : largestParameter * (stateRanks > 1 ? 2 : 1))
    let stemOutput = network.stemOutput.count
    // The stem's output for a static image is the same for all time steps; to save memory it is made anew.
    let isStemShared =
      isStatic && network.specification.memory == .fast && network.keepsStemOutput && window > 1
    tapeBytes =
      Self.bytes(samples, window, summaries.reduce(0) { $0 + $1.tapeBytes })
      - (isStemShared ? Self.bytes(4, samples, window - 1, stemOutput) : 0)
    stateBytes = Self.bytes(
      samples, summaries.reduce(0) { $0 + ($1.tapeHoldsState ? 0 : $1.stateBytes) })
    let temporary =
      Self.stemBytes(network, samples: samples, isStatic: isStatic, trains: rule != nil)
      + Self.workBytes(network, summaries, samples: samples, window: window)
    // Small tensors, and holes that the arena's plan leaves: by `bench memory`.
    temporaryBytes =
      temporary + Int(0.06 * Double(tapeBytes + stateBytes + temporary))
    let input = network.specification.input.count
    loaderBytes =
      Self.bytes(loadedFrames ?? 3 * samples, 4, input) + Self.bytes(50, decoders, input)
  }

  /// A product, up to 2⁵⁸ bytes, more than any machine has: so what a configuration asks for can be added
  /// up and refused, whatever it is.
  private static func bytes(_ factors: Int...) -> Int {
    Int(min(factors.reduce(1.0) { $0 * Double($1) }, 0x1p58))
  }

  /// Weights in the layouts of those who compute, as long as few neurons fire.
  private static func packedBytes(_ network: NetworkPlan, samples: Int) -> Int {
    network.convolutions.reduce(0) { sum, convolution in
      ConvolutionPass.allCases.reduce(sum) {
        $0
          + convolution.packedBytes(for: $1, samples: samples, ofSpikes: convolution.readsSpikes)
      }
    }
  }

  /// The stem's output, unless it is on the tape, and the sum of its gradients, where they last for all time
  /// steps.
  private static func stemBytes(
    _ network: NetworkPlan, samples: Int, isStatic: Bool, trains: Bool
  ) -> Int {
    guard trains else { return isStatic ? bytes(4, samples, network.stemOutput.count) : 0 }
    guard isStatic, network.specification.memory == .fast else { return 0 }
    return bytes(4, samples, network.stemOutput.count, network.keepsStemOutput ? 1 : 2)
  }

  /// What the backward pass, or the forward pass where there is none, takes beyond the tape at its fullest, at
  /// the layer where that is most: the layer's tensors and scratch memory, less what layers after it have
  /// released of the tape.
  private static func workBytes(
    _ network: NetworkPlan, _ summaries: [LayerSummary], samples: Int, window: Int
  ) -> Int {
    let convolutions = Dictionary(
      uniqueKeysWithValues: network.convolutions.map { ($0.layer, $0) })
    var (most, released) = (0, 0.0)
    // Of several time steps the second one that goes back may take more: the first leaves the gradients of
    // states behind, and the last states.
    for (step, layer) in (0..<max(1, min(window, 2))).flatMap({ step in
      summaries.reversed().map { (step, $0) }
    }) {
      // The gradient of the output; for spikes that of the input as well, while the first still flows
      // past the branch.
      let output = bytes(4, samples, layer.output.count)
      // Neurons make a gradient of their state that flows back through time.
      let stateGradient =
        layer.tapeHoldsState && window > 1 && step == 0 ? layer.stateBytes : 0
      var work = output + bytes(samples, stateGradient)
      if let convolution = convolutions[layer.name] {
        let input = bytes(4, samples, convolution.geometry.input(samples: 1).count)
        if convolution.readsSpikes { work += output + (window > 0 ? input : 0) }
        // Beside tensors of so many gigabytes it does not count.
        if max(input, output) < 1 << 34 { work += convolution.scratchBytes(samples: samples) }
      }
      most = max(most, Int(min(Double(work) - released, 0x1p58)))
      // Both stay until the next sequence.
      let held = (layer.tapeHoldsState && step == 0 ? layer.stateBytes : 0) + stateGradient
      released += Double(samples) * Double(layer.tapeBytes - held)
    }
    return most
  }

  /// For a run.
  ///
  /// - Parameters:
  ///   - batch: a rank's part of the global batch.
  ///   - optimizerBuffers: of the optimizer's state.
  ///   - teacher: the network that is learnt from.
  package init(
    _ network: NetworkPlan, _ configuration: Configuration, ranks: Int, batch: Int,
    optimizerBuffers: Int, teacher: NetworkPlan? = nil, before: Int
  ) {
    let isStatic = configuration.framesOfASample == 1
    let samples = min(batch, configuration.samplesAtOnce(ranks: ranks))
    // Training and validation have three batches each, and as many threads to decode them.
    self.init(
      network, samples: samples,
      rule: configuration.method.rule,
      optimizerBuffers: optimizerBuffers,
      stateRanks: configuration.optimizer.isSharded ? ranks : 1, isStatic: isStatic,
      loadedFrames: 6 * batch * configuration.framesOfASample,
      decoders: isStatic ? 2 * configuration.workers(threads: ThreadPool.threads) : 0,
      before: before)
    guard let teacher else { return }
    let taught = MemoryEstimate(
      teacher, samples: samples, rule: nil, optimizerBuffers: 0, isStatic: isStatic, before: 0)
    teacherBytes =
      taught.parameterBytes + max(0, taught.activationBytes - activationBytes)
  }

  /// Weights, their gradients, the optimizer's state and packed copies.
  public var parameterBytes: Int { weightBytes + gradientBytes + optimizerBytes + packedBytes }

  /// What the network makes of samples.
  var activationBytes: Int { tapeBytes + stateBytes + temporaryBytes }

  /// In all, but for `checkpointBytes`.
  public var totalBytes: Int {
    programBytes + parameterBytes + activationBytes + teacherBytes + loaderBytes
  }
}

extension LayerSummary {
  /// What the layer has on the tape and between time steps under a learning rule; without one, nothing goes
  /// back.
  fileprivate func keeping(what rule: LearningRule?) -> LayerSummary {
    var layer = self
    guard let rule else {
      (layer.tapeBytes, layer.tapeHoldsState) = (0, false)
      return layer
    }
    if rule.keepsTraces && traceBytes > 0 {
      // The next time step adds to the same traces.
      (layer.tapeBytes, layer.stateBytes, layer.tapeHoldsState) = (traceBytes, traceBytes, true)
    }
    if rule.takesAverages { (layer.tapeBytes, layer.tapeHoldsState) = (averagesBytes, false) }
    return layer
  }
}
