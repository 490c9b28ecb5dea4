extension SpikingNetwork {
  /// The most spikes that a neuron fires at a time step.
  public var levels: Int { neurons.map(\.levels).max() ?? 1 }

  /// Why the network cannot run unrolled, or `nil`. Unrolled, a neuron that fires s spikes at a time step of
  /// training fires them one by one at the first s of as many fine steps as it has levels.
  ///
  /// Each layer works through the fine steps of a time step before the next layer begins. What is between the
  /// neurons is linear, so that its outputs add up over the fine steps to those of the levels; a
  /// normalisation's shift and biases count once for all of them. The neurons that follow add up the fine
  /// steps, without a leak in between, before they fire.
  public var unrollingProblem: String? {
    guard levels > 1 else {
      return "neurons fire at most one spike at a time step, so that there is nothing to unroll"
    }
    let pool = layers.lazy.compactMap { $0 as? MaxPool }.first { $0.readsSumsOfSpikes }
    return pool.map {
      "the greatest sum of spikes, of which '\($0.name)' is a pool, depends on all fine steps at once"
    }
  }
}
