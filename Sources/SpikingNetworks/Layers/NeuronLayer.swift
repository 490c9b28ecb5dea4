import Tensors

/// A layer of spiking neurons. It turns floats into spikes.
protocol NeuronLayer: Layer, SkippedNode {
  /// Path in the published model.
  var name: String { get }
  /// Its neurons, for one sample.
  var shape: Shape { get }
  /// Share of the membrane potential that is left after a time step.
  var decay: Float { get }
  /// Membrane potential at which its neurons fire.
  var threshold: Float { get set }
  /// The most spikes that they fire at a time step.
  var levels: Int { get }
  /// Spikes at each time step of the sequence so far.
  var spikeCounts: [Int] { get }
  /// Neurons times time steps of the sequence so far.
  var neuronSteps: Int { get }
  /// The neurons that have fired since this was set, over all sequences; nil: that is not observed.
  var fired: FiredNeurons? { get set }
}

extension NeuronLayer {
  /// Spikes of the sequence so far.
  var spikeCount: Int { spikeCounts.reduce(0, +) }
}
