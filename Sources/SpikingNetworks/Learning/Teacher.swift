import Tensors

/// A trained network whose outputs another one learns. It runs forward only, and never changes.
public final class Teacher {
  public let network: SpikingNetwork
  private let timesteps: Int

  /// - Parameter timesteps: that it sees an image for.
  public init(_ network: SpikingNetwork, timesteps: Int) {
    (self.network, self.timesteps) = (network, timesteps)
  }

  /// Its logits for each sample, averaged over its time steps.
  func logits(of frames: borrowing FrameSequence) -> [[Float]] {
    let classes = network.specification.classes
    var means = [[Float]](
      repeating: [Float](repeating: 0, count: classes), count: frames.samples)
    network.evaluate(frames, timesteps: timesteps) { _, logits in
      for sample in means.indices {
        for c in 0..<classes {
          means[sample][c] += logits.tensor[sample * classes + c] / Float(timesteps)
        }
      }
    }
    // The student needs the memory of the membrane potentials.
    network.beginSequence(IterationContext())
    return means
  }
}
