import Tensors

/// An optimizer that keeps a moving average of the weights besides, by which the network is judged and
/// published. As PyTorch's `AveragedModel` with `get_ema_multi_avg_fn` (Polyak and Juditsky, SIAM Journal on
/// Control and Optimization, 1992):
///
///     a[1] = w[1],  a[n] = d a[n-1] + (1 - d) w[n]
final class WeightAverage: ParameterOptimizer {
  private let optimizer: any ParameterOptimizer
  private let decay: Float
  /// The average; while that is in the network, the trained weights.
  private let buffer: FlatBuffer

  /// - Parameter decay: d, from 0 to below 1.
  init(of optimizer: any ParameterOptimizer, count: Int, decay: Double) {
    (self.optimizer, self.decay) = (optimizer, Float(decay))
    buffer = FlatBuffer(count: count)
  }

  var state: [(name: String, values: FloatView)] {
    optimizer.state + [("trained_weights", buffer.all)]
  }

  var updates: Int {
    get { optimizer.updates }
    set { optimizer.updates = newValue }
  }

  var largestGradient: Float { optimizer.largestGradient }

  /// nil before the first update.
  var publishedWeights: FloatView? { updates > 0 ? buffer.all : nil }

  func update(
    _ weights: FloatView, along gradients: FloatView, state offset: Int, learningRate: Double
  ) {
    optimizer.update(weights, along: gradients, state: offset, learningRate: learningRate)
    let average = buffer[offset..<offset + weights.count]
    guard updates > 1 else { return average.assign(weights, times: 1) }
    let share = 1 - decay
    average.withUnsafeMutableBufferPointer { average in
      weights.withUnsafeMutableBufferPointer { weights in
        let (a, w) = (average.baseAddress!, weights.baseAddress!)
        parallelFor(average.count, grain: elementGrain) { _, part in
          for i in part { a[i] += share * (w[i] - a[i]) }
        }
      }
    }
  }
}
