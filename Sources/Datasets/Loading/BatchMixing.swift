import Foundation
import Tensors

/// Mixes each sample of a batch with a partner: by mixup (Zhang et al., arXiv 1710.09412), or by CutMix
/// (Yun et al., arXiv 1905.04899). Where both are on, each batch takes one of them at random.
///
/// A sample's partner is the one before it in the global batch, and the first one's the last. Since the
/// order is random, so are the partners; and a rank needs just one sample more than its own part to
/// mix it like any other number of ranks. (With node-local shards the order depends on the ranks
/// anyway, and each rank pairs the samples of its own part.) One draw serves all samples of a global batch.
public struct BatchMixing: Sendable, Equatable {
  /// Shares are drawn from Beta(alpha, alpha); 0 turns mixup off.
  public var mixupAlpha: Double
  /// The same for CutMix.
  public var cutmixAlpha: Double

  public init(mixupAlpha: Double = 0, cutmixAlpha: Double = 0) {
    (self.mixupAlpha, self.cutmixAlpha) = (mixupAlpha, cutmixAlpha)
  }

  var isOn: Bool { mixupAlpha > 0 || cutmixAlpha > 0 }

  /// How the samples of one batch are mixed.
  enum Mixture: Equatable {
    /// The weight of the sample against its partner.
    case blend(share: Float)
    /// The rectangle that shows the partner, in a square image of this size.
    case patch(PixelRectangle, imageSize: Int)

    /// How much of a mixed sample is the sample itself, 0 to 1.
    var share: Float {
      switch self {
      case .blend(let share): share
      case .patch(let patch, let imageSize):
        1 - Float(patch.width * patch.height) / Float(imageSize * imageSize)
      }
    }
  }

  /// The mixture of an iteration; `nil` if mixing is off.
  func mixture(seed: UInt64, epoch: Int, iteration: Int, imageSize: Int) -> Mixture? {
    guard isOn else { return nil }
    var random = RandomStream(seed: seed, purpose: .batchMixing, time: epoch, index: iteration)
    let isPatched = mixupAlpha == 0 || cutmixAlpha > 0 && random.happens(0.5)
    let share = random.beta(isPatched ? cutmixAlpha : mixupAlpha)
    guard isPatched else { return .blend(share: Float(share)) }

    // A square of the partner's share around any pixel, cut off at the edges.
    let half = Int(0.5 * (1 - share).squareRoot() * Double(imageSize))
    func side() -> Range<Int> {
      let center = random.uniform(below: imageSize)
      return max(center - half, 0)..<min(center + half, imageSize)
    }
    let (columns, rows) = (side(), side())
    return .patch(
      PixelRectangle(
        x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count),
      imageSize: imageSize)
  }
}

extension BatchMixing.Mixture {
  /// Mixes a frame `[H, W, C]` in place with its partner's.
  func apply(
    to frame: UnsafeMutablePointer<Float>, partner: UnsafePointer<Float>, count: Int
  ) {
    switch self {
    case .blend(let share):
      let rest = 1 - share
      for index in 0..<count { frame[index] = share * frame[index] + rest * partner[index] }
    case .patch(let patch, let imageSize):
      let channels = count / (imageSize * imageSize)
      for row in patch.y..<patch.y + patch.height {
        let start = (row * imageSize + patch.x) * channels
        (frame + start).update(from: partner + start, count: patch.width * channels)
      }
    }
  }
}

extension RandomStream {
  /// From the Beta distribution with both parameters `alpha`: the share of one of two equal Gamma
  /// variates in their sum.
  mutating func beta(_ alpha: Double) -> Double {
    let (first, second) = (logGamma(alpha), logGamma(alpha))
    return first == second ? 0.5 : 1 / (1 + exp(second - first))
  }

  /// The logarithm of a Gamma variate (Marsaglia and Tsang, "A simple method for generating gamma
  /// variables", 2000), which stays finite however small `shape` is.
  private mutating func logGamma(_ shape: Double) -> Double {
    if shape < 1 { return logGamma(shape + 1) + log(positiveUniform()) / shape }
    let d = shape - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let normal = normal()
      let v = 1 + c * normal
      guard v > 0 else { continue }
      let cube = v * v * v
      if log(positiveUniform()) < 0.5 * normal * normal + d - d * cube + d * log(cube) {
        return log(d * cube)
      }
    }
  }

  /// Normally distributed with mean 0 and variance 1 (Box and Muller).
  mutating func normal() -> Double {
    let radius = (-2 * log(positiveUniform())).squareRoot()
    return radius * cos(2 * .pi * Double(uniform()))
  }

  /// Uniform above 0, at most 1.
  private mutating func positiveUniform() -> Double { 1 - Double(uniform()) }
}
