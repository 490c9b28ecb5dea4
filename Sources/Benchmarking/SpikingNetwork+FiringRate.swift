import Configuration
import Datasets
import Foundation
import SpikingNetworks
import Tensors

extension SpikingNetwork {
  private static let mostPasses = 50

  /// Gives a network with initial weights the thresholds with which each layer of neurons fires as often as
  /// wanted.
  ///
  /// How often it fires by itself is chance. One without norm hardly does, and then nothing is left of what
  /// makes up the time of training. A threshold is what every neuron has, whatever comes before it.
  ///
  /// A batch, the same on all ranks, goes forward several times, and each time the threshold of a layer
  /// follows its firing rate. It is as large as in training, so that convolutions take the same kernels and
  /// leave no memory behind that training does not need.
  ///
  /// - Parameters:
  ///   - target: spikes for each neuron and time step.
  ///   - configuration: of training on synthetic data, complete.
  ///   - ranks: that share a global batch.
  func calibrate(
    firingRate target: Double, _ configuration: Configuration, ranks: Int
  ) throws {
    let seed = configuration.training.seed
    replaceZeroWeights(seed: seed)
    let loader = configuration.syntheticLoader(
      samples: configuration.samplesAtOnce(ranks: ranks))
    let batch = try loader.next()!
    var searches = thresholds.map(ThresholdSearch.init)
    for _ in 0..<Self.mostPasses {
      fire(at: batch, timesteps: configuration.method.timesteps, seed: seed)
      // Online normalization must have settled on what it sees.
      gatherStatistics(share: 1)
      updateStatistics()
      for (index, rate) in firingRates.enumerated() {
        searches[index].step(rate: rate, target: target)
      }
      guard !searches.allSatisfy(\.isDone) else { return }
      thresholds = searches.map(\.threshold)
    }
  }

  /// Gives values to weights that begin with 0, such as the gains of residual branches: no gradient would
  /// come through them. Biases stay.
  private func replaceZeroWeights(seed: UInt64) {
    for (index, parameter) in store.parametersInForwardOrder.enumerated()
    where parameter.shape.count != 1 && parameter.values.isZero {
      var random = RandomStream(seed: seed, purpose: .initialization, index: index)
      let fanIn = parameter.count / (parameter.shape.first ?? 1)
      let bound = 1 / Float(fanIn).squareRoot()
      parameter.values.assign((0..<parameter.count).map { _ in bound * (2 * random.uniform() - 1) })
    }
    weightsDidChange()
  }

  /// The forward passes of an iteration.
  private func fire(at batch: Batch, timesteps: Int, seed: UInt64) {
    let frames = Tensor(
      viewOf: batch.frames, specification.input.withSamples(batch.timesteps * batch.count))
    var tape = Tape(arena: arena)
    tape.isRecording = false
    beginSequence(IterationContext(seed: seed))
    for t in 0..<timesteps {
      let first = t % batch.timesteps * batch.count
      _ = forward(
        frames.withSamples(from: first, count: batch.count) { stem($0) }, saving: &tape)
    }
  }
}

/// The search for the threshold of a layer, while those of the layers before it change as well.
private struct ThresholdSearch {
  /// Of the error at which the search is done, and the most that counts in a step.
  private static let (tolerance, mostError) = (0.1, 1.0)
  /// How far the logarithm of the threshold moves for an error.
  private static let gains = 0.1...0.6

  private(set) var threshold: Float
  private(set) var isDone = false
  private var gain = gains.upperBound
  /// Logarithm of the latest rate against the one wanted.
  private var error = 0.0

  init(threshold: Float) { self.threshold = threshold }

  /// Takes the threshold nearer to the one wanted, from the rate that the present one gives.
  mutating func step(rate: Double, target: Double) {
    let previous = error
    error = min(max(log(rate / target), -Self.mostError), Self.mostError)
    isDone = abs(error) < Self.tolerance
    // The last step was too long.
    if error * previous < 0 && !isDone { gain = max(gain / 2, Self.gains.lowerBound) }
    threshold *= Float(exp(gain * error))
  }
}
