import TestSupport
import Testing

@testable import Tensors

struct MaxPoolingTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var height, width: Int
    var window: SlidingWindow
    var testDescription: String { "\(height)x\(width) \(window)" }

    /// For each output element the input element that it is: the first of the greatest in its window, row by
    /// row.
    func chosen(_ x: [Float], _ input: Shape, _ output: Shape) -> [Int] {
      var chosen: [Int] = []
      for sample in 0..<input.n {
        for y in 0..<output.h {
          for x0 in 0..<output.w {
            for c in 0..<input.c {
              var best: Int?
              for row in 0..<window.kernel {
                for column in 0..<window.kernel {
                  let h = y * window.stride - window.padding + row
                  let w = x0 * window.stride - window.padding + column
                  guard (0..<input.h).contains(h) && (0..<input.w).contains(w) else { continue }
                  let at = ((sample * input.h + h) * input.w + w) * input.c + c
                  if best.map({ x[at] > x[$0] || x[at].isNaN && !x[$0].isNaN }) ?? true {
                    best = at
                  }
                }
              }
              chosen.append(best!)
            }
          }
        }
      }
      return chosen
    }
  }

  static let cases = [
    Case(height: 6, width: 8, window: SlidingWindow(kernel: 2, stride: 2)),
    Case(height: 7, width: 5, window: SlidingWindow(kernel: 2, stride: 2)),
    Case(height: 8, width: 7, window: SlidingWindow(kernel: 3, stride: 2, padding: 1)),
    Case(height: 1, width: 2, window: SlidingWindow(kernel: 3, stride: 2, padding: 1)),
    Case(height: 5, width: 5, window: SlidingWindow(kernel: 3, stride: 1, padding: 0)),
  ]
  static let settings = [(1, 2), (37, 1), (64, 3), (130, 2)]

  /// What the input elements that were chosen get of the output's gradient.
  private func gradient(_ gy: [Float], _ chosen: [Int], _ input: Shape) -> [Float] {
    var gx = [Float](repeating: 0, count: input.count)
    for (gy, at) in zip(gy, chosen) { gx[at] += gy }
    return gx
  }

  @Test(arguments: cases, settings)
  func floatsAgreeWithAPlainLoop(_ test: Case, _ setting: (channels: Int, threads: Int)) {
    let arena = testArena()
    let input = Shape(n: 3, h: test.height, w: test.width, c: setting.channels)
    let pooling = MaxPooling(input: input, window: test.window)
    let output = pooling.output.withSamples(3)
    #expect(output == test.window.output(of: input, channels: input.c))
    // Of few values, so that many are equal; and some are not numbers.
    let x = gridFloats(input.count, seed: 1).enumerated().map {
      $0 % 11 == 3 ? .nan : $1.rounded()
    }
    let gy = gridFloats(output.count, seed: 2)
    let chosen = test.chosen(x, input, output)
    withThreads(setting.threads) {
      let tensor = Tensor(input, x, in: arena)
      let y = pooling.forward(tensor, in: arena)
      #expect(y.shape == output)
      expectEqual(
        y.elements.map { $0.isNaN ? 100 : $0 }, chosen.map { x[$0].isNaN ? 100 : x[$0] }, "y")
      let gx = pooling.backward(Tensor(output, gy, in: arena), input: tensor, in: arena)
      expectEqual(gx.elements, gradient(gy, chosen, input), "gradient")
    }
  }

  /// Of one, two and three planes.
  @Test(arguments: cases, settings)
  func spikesAgreeWithAPlainLoop(_ test: Case, _ setting: (channels: Int, threads: Int)) {
    let arena = testArena()
    let input = Shape(n: 3, h: test.height, w: test.width, c: setting.channels)
    let pooling = MaxPooling(input: input, window: test.window)
    let output = pooling.output.withSamples(3)
    let gy = gridFloats(output.count, seed: 2)
    for levels in [1, 2, 3, 7] {
      let numbers = randomNumbers(input.count, upTo: levels, seed: levels)
      let x = Spikes(input, levels: levels, amplitude: 1.5, numbers, in: arena)
      let chosen = test.chosen(numbers.map { Float($0) }, input, output)
      withThreads(setting.threads) {
        let y = pooling.forward(x, in: arena)
        #expect(y.shape == output && y.levels == levels)
        #expect(y.count == chosen.reduce(0) { $0 + numbers[$1] })
        expectEqual(
          y.unpacked(in: arena).elements, chosen.map { 1.5 * Float(numbers[$0]) },
          "\(levels) levels")
        let gx = pooling.backward(Tensor(output, gy, in: arena), input: x, in: arena)
        expectEqual(gx.elements, gradient(gy, chosen, input), "gradient, \(levels) levels")
      }
    }
  }
}
