import Tensors
import Testing

@testable import SpikingNetworks

struct ParameterTests {
  private func bound(_ shape: [Int], _ layout: ParameterLayout) -> Parameter {
    let parameter = Parameter("p", shape: shape, layout: layout, .constant(0))
    let count = shape.reduce(1, *)
    parameter.bind(
      values: FlatBuffer(count: count).all, gradient: FlatBuffer(count: count).all)
    return parameter
  }

  @Test func convolutionWeightsAreTransposed() {
    let (outputs, inputs, kernel) = (4, 3, 2)
    let parameter = bound(
      [outputs, inputs, kernel, kernel],
      .convolution(kernel: kernel, inputs: inputs, outputs: outputs))
    let published = (0..<parameter.count).map { Float($0) }
    parameter.assign(published: published, to: parameter.values)
    var index = 0
    for o in 0..<outputs {
      for i in 0..<inputs {
        for ky in 0..<kernel {
          for kx in 0..<kernel {
            let place = ((ky * kernel + kx) * inputs + i) * outputs + o
            #expect(parameter.values[place] == published[index])
            index += 1
          }
        }
      }
    }
    #expect(parameter.published(parameter.values) == published)
  }

  @Test func linearWeightsAreTransposed() {
    let input = Shape(n: 1, h: 2, w: 3, c: 4)
    let parameter = bound([5, 24], .linear(outputs: 5, input: input))
    let published = (0..<parameter.count).map { Float($0) }
    parameter.assign(published: published, to: parameter.gradient)
    var index = 0
    for o in 0..<5 {
      for c in 0..<4 {
        for pixel in 0..<6 {
          #expect(parameter.gradient[(o * 6 + pixel) * 4 + c] == published[index])
          index += 1
        }
      }
    }
    #expect(parameter.published(parameter.gradient) == published)
    #expect(parameter.values.elements.allSatisfy { $0 == 0 })
  }

  @Test func scalarsHaveOneElement() {
    let parameter = bound([], .asPublished)
    #expect(parameter.count == 1)
    parameter.assign(published: [3], to: parameter.values)
    #expect(parameter.values[0] == 3 && parameter.published(parameter.values) == [3])
  }
}
