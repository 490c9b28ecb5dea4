import Testing

@testable import Tensors

/// What `sltt-dist doctor` checks is right here, and what is wrong is found.
struct MathCheckTests {
  @Test func everythingIsRightOnThisCPU() {
    let checks = MathCheck.all()
    #expect(Set(checks.map { "\($0.engine) \($0.name)" }).count == checks.count)
    #expect(Set(checks.map(\.engine)) == Set(MathCheck.Engine.allCases))
    for check in checks {
      let result = check.run()
      #expect(result.isCorrect, "\(check.name): \(result)")
      // Nothing that adds floats up is exact to the last bit everywhere.
      #expect(result.worst > 0 || check.engine == .neurons, "\(check.name)")
    }
  }

  @Test(arguments: [0, 20, 47]) func aWrongProductIsFound(element: Int) {
    let product = MatrixProduct(m: 8, n: 6, k: 100)
    #expect(product.check().isCorrect)
    let wrong = product.check { product, a, b, c, isAdding in
      product.multiply(a, b, into: c, adding: isAdding)
      c[element] += 1e-3
    }
    #expect(!wrong.isCorrect && wrong.element == element && wrong.worst.isFinite)
  }

  @Test func aProductThatForgetsToAddOrToComputeIsFound() {
    let product = MatrixProduct(m: 3, n: 4, k: 5)
    let overwriting = product.check { product, a, b, c, _ in
      product.multiply(a, b, into: c, adding: false)
    }
    let idle = product.check { _, _, _, _, _ in }
    #expect(!overwriting.isCorrect && !idle.isCorrect)
  }

  @Test func whatIsNoNumberIsWrong() {
    #expect(!RoundingCheck([.nan], [1], magnitudes: [1], roundings: 1).isCorrect)
    #expect(!RoundingCheck([1], [1, 2], magnitudes: [1, 2], roundings: 1).isCorrect)
    // Nothing can round where all terms are 0.
    #expect(!RoundingCheck([1e-30], [0], magnitudes: [0], roundings: 9).isCorrect)
    #expect(RoundingCheck([0], [0], magnitudes: [0], roundings: 9).isCorrect)
  }

  @Test func theBoundIsThatOfRounding() {
    func isCorrect(_ error: Float, roundings: Int) -> Bool {
      RoundingCheck([1 + error], [1], magnitudes: [1], roundings: roundings).isCorrect
    }
    #expect(isCorrect(0x1p-23, roundings: 1) && !isCorrect(0x1p-22, roundings: 1))
    #expect(isCorrect(100 * 0x1p-23, roundings: 200) && !isCorrect(101 * 0x1p-22, roundings: 200))
  }

  @Test(arguments: [nil, 0.3 as Float], WrongConvolution.Fault.allCases)
  func aWrongConvolutionIsFound(density: Float?, fault: WrongConvolution.Fault) {
    let geometry = ConvolutionGeometry(h: 6, w: 5, inputs: 7, outputs: 9)
    let check = ConvolutionCheck(geometry: geometry, samples: 2, density: density)
    for backend in [ConvolutionBackend.oneDNN, .openBLAS] {
      let right = backend.convolution(geometry, arena: testArena())
      #expect(check.check(right).isCorrect)
      let result = check.check(WrongConvolution(right, fault))
      #expect(!result.isCorrect)
    }
  }
}

/// A convolution that goes wrong in one place.
final class WrongConvolution: Convolution {
  enum Fault: CaseIterable, Sendable { case output, inputGradient, weightGradient, biasGradient }

  private let right: any Convolution
  private let fault: Fault

  init(_ right: any Convolution, _ fault: Fault) {
    (self.right, self.fault) = (right, fault)
  }

  var geometry: ConvolutionGeometry { right.geometry }
  var arena: Arena { right.arena }
  func packedBytes(for pass: ConvolutionPass, samples: Int, ofSpikes: Bool) -> Int {
    right.packedBytes(for: pass, samples: samples, ofSpikes: ofSpikes)
  }
  func scratchBytes(samples: Int) -> Int { right.scratchBytes(samples: samples) }
  func weightsDidChange() { right.weightsDidChange() }

  func kernel(for pass: ConvolutionPass, samples: Int, density: Double?) -> ConvolutionKernel {
    right.kernel(for: pass, samples: samples, density: density)
  }

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    right.forward(x, weights: weights, bias: bias, into: &y, accumulating: accumulating)
    if fault == .output { y[y.shape.count - 1] += 1e-3 }
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    right.backwardInput(gy, weights: weights, into: &gx)
    if fault == .inputGradient { gx[3] = 0 }
  }

  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    right.backwardWeights(x, gy, into: weightGradient, bias: biasGradient)
    if fault == .weightGradient { weightGradient[5] += 1e-3 }
    if fault == .biasGradient { biasGradient?[0] = .nan }
  }
}
