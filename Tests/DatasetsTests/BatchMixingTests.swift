import Tensors
import Testing

@testable import Datasets

struct BatchMixingTests {
  private func mixtures(_ mixing: BatchMixing, count: Int = 4000) -> [BatchMixing.Mixture] {
    (0..<count).compactMap {
      mixing.mixture(seed: 3, epoch: $0 % 7, iteration: $0, imageSize: 32)
    }
  }

  @Test("Shares follow the Beta distribution", arguments: [0.1, 0.4, 1, 3.5])
  func sharesFollowTheBetaDistribution(alpha: Double) {
    let shares = mixtures(BatchMixing(mixupAlpha: alpha)).map { Double($0.share) }
    #expect(shares.count == 4000 && shares.allSatisfy { (0...1).contains($0) })
    let mean = shares.reduce(0, +) / 4000
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
    #expect(abs(mean - 0.5) < 0.03)
    #expect(abs(variance - 1 / (4 * (2 * alpha + 1))) < 0.012)
    // A uniform distribution has as many in every tenth.
    if alpha == 1 {
      let tenths = Dictionary(grouping: shares) { Int($0 * 10) }.values.map(\.count)
      #expect(tenths.count == 10 && tenths.allSatisfy { (330...470).contains($0) })
    }
  }

  @Test func patchesLieInTheImageAndHaveTheRestOfTheShare() {
    var shares: [Float] = []
    for mixture in mixtures(BatchMixing(cutmixAlpha: 1)) {
      guard case .patch(let patch, 32) = mixture else {
        Issue.record("\(mixture)")
        continue
      }
      #expect(patch.x >= 0 && patch.x + patch.width <= 32)
      #expect(patch.y >= 0 && patch.y + patch.height <= 32)
      #expect(mixture.share == 1 - Float(patch.width * patch.height) / 1024)
      shares.append(mixture.share)
    }
    // Patches are cut off at the edges, so that the mean is above a half.
    let mean = shares.reduce(0, +) / Float(shares.count)
    #expect(shares.count == 4000 && (0.6...0.75).contains(mean))
  }

  @Test func bothTogetherTakeTurnsAtRandomAndNeitherMixesNothing() {
    let both = mixtures(BatchMixing(mixupAlpha: 0.2, cutmixAlpha: 1))
    let blends = both.count { if case .blend = $0 { true } else { false } }
    #expect(both.count == 4000 && (1850...2150).contains(blends))
    #expect(mixtures(BatchMixing()).isEmpty)
  }

  @Test func framesAreMixed() {
    // 3 x 3 pixels of 2 channels.
    let (own, other) = ((0..<18).map { Float($0) }, (0..<18).map { Float(100 + $0) })
    var blended = own
    BatchMixing.Mixture.blend(share: 0.75).apply(to: &blended, partner: other, count: 18)
    #expect(blended == zip(own, other).map { 0.75 * $0 + 0.25 * $1 })
    var patched = own
    let patch = PixelRectangle(x: 1, y: 0, width: 2, height: 2)
    BatchMixing.Mixture.patch(patch, imageSize: 3).apply(to: &patched, partner: other, count: 18)
    let covered: Set<Int> = [2, 3, 4, 5, 8, 9, 10, 11]
    #expect(patched.indices.allSatisfy { patched[$0] == (covered.contains($0) ? other : own)[$0] })
  }
}
