/// A layer of spiking neurons. It turns floats into spikes.
protocol NeuronLayer: Layer, SkippedNode {
  /// Spikes of the sequence so far.
  var spikeCount: Int { get }
  /// Neurons times time steps of the sequence so far.
  var neuronSteps: Int { get }
}
