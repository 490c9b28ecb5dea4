import TestSupport
import Testing

@testable import Tensors

struct FullyConnectedTests {
  /// (samples, features as height, width and channels, outputs, threads)
  @Test(arguments: [
    (1, (1, 1, 1), 1, 1), (5, (1, 1, 64), 10, 2), (3, (7, 7, 16), 11, 3), (4, (2, 3, 5), 1, 2),
    (9, (7, 7, 64), 100, 3),
  ]) func passesAgreeWithTheDefinition(
    _ n: Int, _ extents: (Int, Int, Int), _ outputs: Int, _ threads: Int
  ) {
    let arena = testArena()
    let input = Shape(n: n, h: extents.0, w: extents.1, c: extents.2)
    let (output, features) = (Shape(n: n, c: outputs), input.withSamples(1).count)
    let product = FullyConnected(features: features, outputs: outputs)
    let (x, gy) = (randomFloats(input.count, seed: 1), randomFloats(output.count, seed: 2))
    let weights = randomFloats(outputs * features, seed: 3)
    let bias = randomFloats(outputs, seed: 4)

    var y = bias + (1..<n).flatMap { _ in bias }
    var gx = [Float](repeating: 0, count: input.count)
    var (gw, gb) = (weights, bias)
    for sample in 0..<n {
      for o in 0..<outputs {
        let g = gy[sample * outputs + o]
        gb[o] += g
        for f in 0..<features {
          y[sample * outputs + o] += weights[o * features + f] * x[sample * features + f]
          gx[sample * features + f] += weights[o * features + f] * g
          gw[o * features + f] += g * x[sample * features + f]
        }
      }
    }

    withThreads(threads) {
      var result = Tensor(output, in: arena)
      product.forward(
        Tensor(input, x, in: arena), weights: view(weights), bias: view(bias), into: &result)
      expectClose(result.elements, y, "y")
      var gradient = Tensor(input, [Float](repeating: .nan, count: input.count), in: arena)
      product.backwardInput(
        Tensor(output, gy, in: arena), weights: view(weights), into: &gradient)
      expectClose(gradient.elements, gx, "gx")
      let (weightGradient, biasGradient) = (view(weights), view(bias))
      product.backwardWeights(
        Tensor(input, x, in: arena), Tensor(output, gy, in: arena), into: weightGradient,
        bias: biasGradient)
      expectClose(weightGradient.elements, gw, "gw")
      expectClose(biasGradient.elements, gb, "gb")
    }
  }
}
