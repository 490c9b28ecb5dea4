import Tensors
import TestSupport
import Testing

@testable import Training

struct GradientAgreementTests {
  @Test func isCosineAndRatioOfNorms() {
    let agreement = GradientAgreement(view([3, 4]), view([8, 6]))
    // (24 + 24) / (5 · 10)
    #expect(agreement.cosine == 0.96 && agreement.normRatio == 0.5)
    #expect(agreement.referenceNorm == 10)
    let opposite = GradientAgreement(view([1, -2, 2]), view([-1, 2, -2]))
    #expect(opposite.cosine == -1 && opposite.normRatio == 1)
    // All five: (48 - 9) / sqrt((25 + 9) (100 + 9))
    let together = agreement + opposite
    #expect(together == GradientAgreement(view([3, 4, 1, -2, 2]), view([8, 6, -1, 2, -2])))
    #expect(together.cosine == 39 / (34.0 * 109).squareRoot())
  }

  @Test func aGradientOfZerosHasNoDirection() {
    let none = GradientAgreement(view([0, 0]), view([1, 2]))
    #expect(none.cosine == nil && none.normRatio == 0)
    let unknown = GradientAgreement(view([1, 2]), view([0, 0]))
    #expect(unknown.cosine == nil && unknown.normRatio == nil)
    #expect(GradientAgreement().cosine == nil)
  }
}
