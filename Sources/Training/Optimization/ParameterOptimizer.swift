import Tensors

/// Turns gradients into new weights, in one pass over the flat buffers.
public protocol ParameterOptimizer: AnyObject {
  /// Updates some of the weights along their gradients, which are averaged over the global batch.
  /// `updates` must count this update already.
  ///
  /// - Parameter offset: where the state of these weights begins.
  func update(
    _ weights: FloatView, along gradients: FloatView, state offset: Int, learningRate: Double)

  /// What must be saved to go on: buffers laid out as the weights.
  var state: [(name: String, values: FloatView)] { get }

  /// Updates so far.
  var updates: Int { get set }

  /// The magnitude up to which averaged gradients leave the state finite.
  var largestGradient: Float { get }

  /// Weights that the network is to be judged and published by, one of the buffers of state; nil where these
  /// are the trained ones.
  var publishedWeights: FloatView? { get }
}

extension ParameterOptimizer {
  public var publishedWeights: FloatView? { nil }

  /// One update of all weights.
  public func update(_ weights: FloatView, along gradients: FloatView, learningRate: Double) {
    updates += 1
    update(weights, along: gradients, state: 0, learningRate: learningRate)
  }
}

/// Elements that are worth a thread's while in a pass over memory.
let elementGrain = 16384
