import SpikingNetworks
import Tensors

/// The input of a batch: one frame for all time steps (an image) or one for each (an event recording).
public struct FrameSequence: ~Copyable {
  private let frames: Tensor
  /// Whether all time steps have the same frame.
  let isStatic: Bool
  /// Samples from the first one of a time step to that of the next.
  private let stride: Int
  private let range: Range<Int>

  /// - Parameters:
  ///   - frame: [N, H, W, C], shown at every time step.
  ///   - range: the samples that count; all by default.
  public init(static frame: consuming Tensor, samples range: Range<Int>? = nil) {
    let all = 0..<frame.shape.n
    stride = 0
    self.range = range ?? all
    isStatic = true
    frames = frame
  }

  /// - Parameters:
  ///   - frames: [T * N, H, W, C], the N samples of a time step after those of the one before.
  ///   - range: the samples of each time step that count; all by default.
  public init(_ frames: consuming Tensor, timesteps: Int, samples range: Range<Int>? = nil) {
    precondition(frames.shape.n % timesteps == 0)
    let all = 0..<frames.shape.n / timesteps
    stride = all.count
    self.range = range ?? all
    isStatic = false
    self.frames = frames
  }

  /// Local samples.
  public var samples: Int { range.count }

  /// Calls `body` with the frame [N, H, W, C] of time step `t`.
  func withFrame<Result: ~Copyable>(at t: Int, _ body: (borrowing Tensor) -> Result) -> Result {
    frames.withSamples(from: t * stride + range.lowerBound, count: range.count, body)
  }
}

/// One pass of a batch through the time steps, forward and backward: the learning rule itself.
public final class TrainingStep {
  private let network: SpikingNetwork
  /// The loss of the batch, over the trained steps.
  public let loss: Loss
  private let timesteps: Int
  private var tape: Tape

  public init(_ network: SpikingNetwork, loss: LossSpecification, timesteps: Int) {
    self.network = network
    self.loss = Loss(loss, timesteps: timesteps)
    self.timesteps = timesteps
    tape = Tape(arena: network.arena)
  }

  /// The most bytes that the tape has held.
  public var peakTapeBytes: Int { tape.peakBytes }

  /// Adds the batch's gradients to the network's. They are gradients only when the network has completed
  /// them, once, after the last of the batches that belong together.
  ///
  /// SLTT back-propagates each step before the next one's forward pass (a window of one step), BPTT all
  /// of them after the last (a window of T). Nothing else tells the two apart.
  ///
  /// A frame that all steps show goes through the stem once. The gradients of the stem's output are
  /// summed before they go back through it, which is linear in them, unless memory is to be saved.
  ///
  /// - Parameters:
  ///   - mixture: what the samples are mixed with.
  ///   - trained: which time steps are back-propagated; those beyond its end do not run.
  ///   - window: forward steps before their backward passes.
  ///   - isLast: whether this is the last of the batches that belong together; the network then completes
  ///     gradients during the last backward pass.
  public func accumulateGradients(
    _ frames: borrowing FrameSequence, labels: [Int], mixture: LabelMixture? = nil,
    globalCount: Int, trained: [Bool], window: Int, context: IterationContext,
    isLast: Bool = false, observe: (_ t: Int, borrowing Tensor) -> Void = { _, _ in }
  ) {
    network.beginSequence(context)
    loss.begin(labels: labels, mixture: mixture, globalCount: globalCount)
    tape.isTraining = true
    precondition(trained.count <= timesteps)
    var recorded: [Int] = []
    var stem = frames.withFrame(at: 0) { network.stem($0) }
    let sumsStemGradients = frames.isStatic && network.specification.memory == .fast
    // Held from the start, so that memory does not depend on the number of steps.
    var stemGradient = Tensor(
      stem.tensor.shape.withSamples(sumsStemGradients ? frames.samples : 0), in: network.arena)
    stemGradient.fill(0)
    for t in trained.indices {
      if t > 0 && !frames.isStatic { stem = frames.withFrame(at: t) { network.stem($0) } }
      tape.isRecording = trained[t]
      let logits = network.forward(stem, saving: &tape)
      observe(t, logits)
      loss.add(logits, isTrained: trained[t])
      if trained[t] { recorded.append(t) }
      guard recorded.count == window || t == trained.count - 1 else { continue }
      let isLastWindow = isLast && !trained[(t + 1)...].contains(true)
      while let t = recorded.popLast() {
        let isLast = isLastWindow && recorded.isEmpty
        let g = network.backward(loss.popGradient(), from: &tape, isLast: isLast)
        if sumsStemGradients {
          stemGradient.add(g.tensor)
        } else {
          frames.withFrame(at: t) { network.backwardStem(g.tensor, frame: $0, isLast: isLast) }
        }
      }
    }
    if sumsStemGradients {
      frames.withFrame(at: 0) { network.backwardStem(stemGradient, frame: $0, isLast: isLast) }
    }
  }

  /// Runs a batch forward only, without dropout and with batch norm's running statistics.
  public func evaluate(_ frames: borrowing FrameSequence, labels: [Int], globalCount: Int) {
    network.beginSequence(IterationContext())
    loss.begin(labels: labels, globalCount: globalCount)
    tape.isTraining = false
    tape.isRecording = false
    var stem = frames.withFrame(at: 0) { network.stem($0) }
    for t in 0..<timesteps {
      if t > 0 && !frames.isStatic { stem = frames.withFrame(at: t) { network.stem($0) } }
      let logits = network.forward(stem, saving: &tape)
      loss.add(logits, isTrained: true)
      _ = loss.popGradient()
    }
  }
}
