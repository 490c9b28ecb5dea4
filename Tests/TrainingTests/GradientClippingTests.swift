import Distributed
import Tensors
import TestSupport
import Testing

@testable import Training

struct GradientClippingTests {
  @Test func shortensTheWholeGradient() {
    let gradient = view([3, 0, -4])
    GradientClipping(largestNorm: 0.5).clip([gradient], norm: gradient.norm)
    #expect(relativeDifference(gradient.elements, [0.3, 0, -0.4]) < 1e-6)
  }

  @Test func aShorterGradientKeepsItsBits() {
    let values: [Float] = [0.3, 0.1, -0.4, 1e-30]
    let gradient = view(values)
    GradientClipping(largestNorm: 0.6).clip([gradient], norm: gradient.norm)
    #expect(gradient.elements == values)
  }

  /// More than one block, and a last one that is not whole.
  @Test func theNormIsThatOfAllElements() {
    let gradient = view((0..<40_003).map { $0 % 2 == 0 ? 2 : -1 })
    GradientClipping(largestNorm: 1).clip([gradient], norm: gradient.norm)
    let squares = gradient.elements.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(squares - 1) < 1e-5)
  }

  @Test func theNormIsMeasuredWhereItIsWanted() throws {
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], SingleProcess())
    #expect(try job.trainOnce().gradientNorm == nil)
    let norm = try #require(try job.trainOnce(measuresNorm: true).gradientNorm)
    #expect(norm == job.network.store.gradients.norm && norm > 0)
  }

  private func trained(_ overrides: String...) throws -> (before: [Float], after: [Float]) {
    let job = try SmallJob(
      [
        "model.blocks=[1,1]", "model.width=4", "optimizer.momentum=0", "optimizer.weight_decay=0",
      ] + overrides, SingleProcess())
    let before = job.network.store.weights.all.elements
    try job.trainOnce(learningRate: 0.5)
    return (before, job.network.store.weights.all.elements)
  }

  @Test func aStepIsNoLongerThanTheNormAllows() throws {
    let weights = try trained("optimizer.clip_norm=0.01")
    let steps = zip(weights.before, weights.after).map { Double($0 - $1) }
    let length = steps.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(length / (0.5 * 0.01) - 1) < 1e-3)
    #expect(try trained("optimizer.clip_norm=1e6").after == trained().after)
  }
}
