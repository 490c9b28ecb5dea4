import Tensors

/// One pass of a batch through the time steps, forward and backward, by a learning rule.
public final class TrainingStep {
  private let network: SpikingNetwork
  private let rule: LearningRule
  /// The loss of the batch, over the recorded time steps.
  public let loss: Loss
  private let teacher: Teacher?
  private var tape: Tape
  /// The loss of the latest batch over all time steps; of SLTT-K, as the time steps that were trained let it
  /// expect, since the others have none.
  public private(set) var expectedLoss = 0.0

  /// - Parameter teacher: whose outputs the network learns besides, where the loss says how.
  public init(
    _ network: SpikingNetwork, _ rule: LearningRule, loss: LossSpecification,
    teacher: Teacher? = nil
  ) {
    self.network = network
    self.rule = rule
    self.teacher = teacher
    precondition(
      loss.kind == .meanOfLosses ? !rule.takesAverages : rule.takesAverages || rule.isThroughTime)
    self.loss = Loss(loss, timesteps: rule.timesteps)
    tape = Tape(arena: network.arena)
  }

  /// Time steps that a sample is shown for.
  public var timesteps: Int { rule.timesteps }

  /// The most bytes that the tape has held.
  public var peakTapeBytes: Int { tape.peakBytes }

  /// Adds the batch's gradients to the network's. They are gradients only when the network has completed
  /// them, once, after the last of the batches that belong together.
  ///
  /// - Parameters:
  ///   - mixture: what the samples are mixed with.
  ///   - isLast: whether this is the last of the batches that belong together; the network then completes
  ///     gradients during the last backward pass.
  ///   - observe: is given the logits of each time step that runs.
  public func accumulateGradients(
    _ frames: borrowing FrameSequence, labels: [Int], mixture: LabelMixture? = nil,
    globalCount: Int, context: IterationContext, isLast: Bool = false,
    observe: (_ t: Int, borrowing Tensor) -> Void = { _, _ in }
  ) {
    network.beginSequence(context)
    let lessons = teacher?.logits(of: frames)
    network.arena.beginPass(samples: frames.samples)
    defer { network.arena.endPass() }
    loss.begin(labels: labels, mixture: mixture, teacher: lessons, globalCount: globalCount)
    tape.beginSequence()
    tape.isTracing = rule.keepsTraces
    if rule.takesAverages {
      passAverages(frames, isLast: isLast, observe)
      expectedLoss = loss.value
    } else {
      let recorded = rule.recordedTimesteps(seed: context.seed, iteration: context.iteration)
      passTimesteps(frames, recorded: recorded, isLast: isLast, observe)
      expectedLoss = loss.value * Double(timesteps) / Double(recorded.count { $0 })
    }
  }

  /// SLTT back-propagates each time step before the next one's forward pass (a window of one), BPTT all
  /// of them after the last (a window of T). Nothing else tells the two apart.
  ///
  /// A frame that all time steps show goes through the stem once, and the gradients of the stem's output are
  /// summed before they go back through it, which is linear in them. Where memory is to be saved it goes
  /// through at each time step, forward and backward, so that neither is held.
  private func passTimesteps(
    _ frames: borrowing FrameSequence, recorded: [Bool], isLast: Bool,
    _ observe: (_ t: Int, borrowing Tensor) -> Void
  ) {
    var pending: [Int] = []
    let isStemShared = isStemShared(frames)
    let stem = isStemShared ? frames.withFrame(at: 0) { network.stem($0) } : nil
    // Held from the start, so that memory does not depend on the number of time steps.
    var stemGradient = Tensor(
      network.plan.stemOutput.withSamples(isStemShared ? frames.samples : 0), in: network.arena)
    stemGradient.fill(0)
    for t in recorded.indices {
      tape.isRecording = recorded[t]
      let logits = network.forward(
        stem ?? frames.withFrame(at: t) { network.stem($0) }, saving: &tape)
      observe(t, logits.tensor)
      loss.add(logits, at: t, isTrained: recorded[t])
      if recorded[t] { pending.append(t) }
      guard pending.count == rule.window || t == recorded.count - 1 else { continue }
      let isLastWindow = isLast && !recorded[(t + 1)...].contains(true)
      while let t = pending.popLast() {
        let isLast = isLastWindow && pending.isEmpty
        let g = network.backward(loss.popGradient(), from: &tape, isLast: isLast)
        if isStemShared {
          stemGradient.add(g.tensor)
        } else {
          frames.withFrame(at: t) { network.backwardStem(g.tensor, frame: $0, isLast: isLast) }
        }
      }
    }
    guard isStemShared else { return }
    frames.withFrame(at: 0) {
      network.backwardStem(stemGradient, frame: $0, isLast: isLast)
    }
  }

  private func isStemShared(_ frames: borrowing FrameSequence) -> Bool {
    frames.isStatic && network.specification.memory == .fast
  }

  /// Rate-based back-propagation: nothing of the time steps is kept but averages, which then pass once, forward
  /// and backward. All between the neurons is linear, or linear for given statistics of batch norm.
  private func passAverages(
    _ frames: borrowing FrameSequence, isLast: Bool,
    _ observe: (_ t: Int, borrowing Tensor) -> Void
  ) {
    defer { tape.averaging = nil }
    let stem =
      isStemShared(frames) ? frames.withFrame(at: 0) { network.stem($0) } : nil
    tape.averaging = .gathering(timesteps: rule.timesteps)
    tape.isRecording = false
    for t in 0..<rule.timesteps {
      let logits = network.forward(
        stem ?? frames.withFrame(at: t) { network.stem($0) }, saving: &tape)
      observe(t, logits.tensor)
      loss.add(logits, at: t, isTrained: false)
    }
    tape.averaging = .passing
    tape.isRecording = true
    frames.withMean(timesteps: rule.timesteps, in: network.arena) { frame in
      let logits = network.forward(stem ?? network.stem(frame), saving: &tape)
      let g = network.backward(
        loss.gradientOfMean(replacing: logits), from: &tape, isLast: isLast)
      network.backwardStem(g.tensor, frame: frame, isLast: isLast)
    }
  }

  /// Runs a batch forward only, with running statistics.
  ///
  /// - Parameters:
  ///   - isUnrolled: whether neurons fire their spikes one by one.
  ///   - observe: is called after each time step, whose logits the loss then has.
  public func evaluate(
    _ frames: borrowing FrameSequence, labels: [Int], globalCount: Int, isUnrolled: Bool = false,
    observe: (_ t: Int) -> Void = { _ in }
  ) {
    loss.begin(labels: labels, globalCount: globalCount)
    network.evaluate(frames, timesteps: rule.timesteps, isUnrolled: isUnrolled) { t, logits in
      loss.addValue(logits, at: t)
      observe(t)
    }
    expectedLoss = loss.value
  }
}
