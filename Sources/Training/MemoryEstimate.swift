import SpikingNetworks
import Tensors

/// The memory that a rank is expected to need, from the network's shape alone.
public struct MemoryEstimate: Sendable {
  /// Weights, their gradients, the optimizer's state and packed copies.
  public let parameterBytes: Int
  /// What the tape holds at its fullest.
  public let tapeBytes: Int
  /// State that passes from one time step to the next, besides what the tape holds.
  public let stateBytes: Int
  /// Tensors that live while a layer works, or for the stem of an image.
  public let temporaryBytes: Int
  /// Batches decoded ahead, and photographs that are being decoded.
  public let loaderBytes: Int
  /// What rank 0 holds besides while it writes a checkpoint: copies of weights and optimizer state,
  /// where training goes on, and of one parameter in the shape of the file.
  public let checkpointBytes: Int

  /// The program with its libraries, before it has a network.
  static let programBytes = 48 << 20

  /// - Parameters:
  ///   - samples: local samples that go through the network at once.
  ///   - window: time steps that the tape holds at once.
  ///   - optimizerBuffers: of the optimizer's state, each as large as the weights.
  ///   - stateRanks: ranks among which that state is divided.
  ///   - isStatic: whether a sample is one image for all time steps.
  ///   - loadedFrames: that the loader holds; three batches of images by default.
  ///   - decoders: threads that decode photographs, which may have 50 times the input's pixels.
  public init(
    _ network: NetworkPlan, samples: Int, window: Int, optimizerBuffers: Int,
    stateRanks: Int = 1, isStatic: Bool = true, loadedFrames: Int? = nil, decoders: Int = 0
  ) {
    let summaries = network.layers.map(\.summary)
    let parameters = network.weightCount
    parameterBytes =
      (2 * parameters + parameters * optimizerBuffers / stateRanks + network.statisticCount) * 4
      + summaries.reduce(0) { $0 + $1.packedBytes }
    let copied =
      network.specification.memory == .fast
      ? 1 + optimizerBuffers : stateRanks > 1 ? optimizerBuffers : 0
    checkpointBytes = 4 * (parameters * copied + network.largestParameter)
    tapeBytes = Self.bytes(samples, window, summaries.reduce(0) { $0 + $1.tapeBytes })
    // Gradients that flow back through time are as large as the state, and take the place of what has
    // gone from the tape by then: all but the state itself, which neurons still hold.
    stateBytes = Self.bytes(
      samples,
      summaries.reduce(0) { sum, layer in
        if !layer.tapeHoldsState { return sum + layer.stateBytes }
        return sum + (window > 1 ? max(0, 2 * layer.stateBytes - layer.tapeBytes) : 0)
      })
    // A layer's result, its input unpacked, and the gradient of either: but few of them are there while
    // the tape is fullest. `bench memory` finds 0.3 to 1.3 times the largest.
    let largest = Self.bytes(samples, 4, summaries.map(\.output.count).max() ?? 0)
    // The stem's output for an image, or the sum of its gradients, lasts for all time steps.
    let stem = isStatic ? Self.bytes(samples, 4, summaries[0].output.count) : 0
    // Batch norm's inputs in bfloat16 leave holes between tensors of twice their size.
    let leavesHoles =
      network.specification.memory == .lean && network.specification.family.hasBatchNorm
    temporaryBytes = largest * 3 / 2 + stem + (leavesHoles ? largest : 0)
    let input = network.specification.input.count
    loaderBytes =
      Self.bytes(loadedFrames ?? 3 * samples, 4, input) + Self.bytes(50, decoders, input)
  }

  /// A product, up to 2⁵⁸ bytes, more than any machine has: so what a configuration asks for can be added
  /// up and refused, whatever it is.
  private static func bytes(_ factors: Int...) -> Int {
    Int(min(factors.reduce(1.0) { $0 * Double($1) }, 0x1p58))
  }

  /// For a run.
  ///
  /// - Parameters:
  ///   - threads: of a rank.
  ///   - batch: a rank's part of the global batch.
  ///   - optimizerBuffers: of the optimizer's state.
  init(
    _ network: NetworkPlan, _ configuration: Configuration, _ method: TrainingMethod,
    ranks: Int, threads: Int, batch: Int, optimizerBuffers: Int
  ) {
    let isStatic = configuration.framesOfASample == 1
    // Training and validation have three batches each, and as many threads to decode them.
    self.init(
      network, samples: min(batch, configuration.samplesAtOnce(ranks: ranks)),
      window: method.window,
      optimizerBuffers: optimizerBuffers,
      stateRanks: configuration.optimizer.isSharded ? ranks : 1, isStatic: isStatic,
      loadedFrames: 6 * batch * configuration.framesOfASample,
      decoders: isStatic ? 2 * configuration.workers(threads: threads) : 0)
  }

  /// In all, but for `checkpointBytes`.
  public var totalBytes: Int {
    Self.programBytes + parameterBytes + tapeBytes + stateBytes + temporaryBytes + loaderBytes
  }
}
