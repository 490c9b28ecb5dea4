/// A layer of spiking neurons. It turns floats into spikes.
protocol NeuronLayer: Layer, SkippedNode {
  /// Share of the membrane potential that is left after a time step.
  var decay: Float { get }
  /// Membrane potential at which its neurons fire.
  var threshold: Float { get set }
  /// The most spikes that they fire at a time step.
  var levels: Int { get }
  /// Spikes of the sequence so far.
  var spikeCount: Int { get }
  /// Neurons times time steps of the sequence so far.
  var neuronSteps: Int { get }
}
