import Tensors

extension SpikingNetwork {
  /// Runs a batch forward only, with running statistics. A frame that all time steps show goes through the
  /// stem once.
  ///
  /// - Parameters:
  ///   - isUnrolled: whether neurons fire their spikes one by one.
  ///   - take: is given the logits [N, 1, 1, classes] of each time step, which are its alone.
  func evaluate(
    _ frames: borrowing FrameSequence, timesteps: Int, isUnrolled: Bool = false,
    _ take: (_ t: Int, _ logits: consuming SharedTensor) -> Void
  ) {
    beginSequence(IterationContext())
    var tape = Tape(arena: arena)
    tape.isTraining = false
    tape.isRecording = false
    tape.isUnrolled = isUnrolled
    let stem = frames.isStatic ? frames.withFrame(at: 0) { self.stem($0) } : nil
    for t in 0..<timesteps {
      take(t, forward(stem ?? frames.withFrame(at: t) { self.stem($0) }, saving: &tape))
    }
  }
}
