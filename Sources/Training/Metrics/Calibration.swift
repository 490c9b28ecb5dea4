import SpikingNetworks

/// How much a network's confidence, the probability that it gives its prediction, says about whether that is
/// right.
///
/// The expected calibration error (Naeini et al., AAAI 2015; Guo et al., "On calibration of modern neural
/// networks", ICML 2017, equation 3) sorts samples by confidence into bins ((m - 1) / M, m / M]:
///
///     ECE = sum over the bins of share[m] |accuracy[m] - confidence[m]|
struct Calibration {
  /// M, the number of bins of equal width.
  static let binCount = 15

  /// Some samples of like confidence.
  struct Bin: Sendable {
    var samples = 0
    var correct = 0
    /// Confidence added up over the samples, in units of 2^-24, so that it does not depend on the order.
    fileprivate(set) var confidenceSum = 0

    /// Share of the samples whose prediction is right.
    var accuracy: Double { samples > 0 ? Double(correct) / Double(samples) : 0 }
    /// Mean over the samples, 0 to 1.
    var confidence: Double {
      samples > 0 ? Double(confidenceSum) / Double(samples) / Self.unit : 0
    }

    fileprivate static let unit = 0x1p24
  }

  /// By rising confidence.
  private(set) var bins = [Bin](repeating: Bin(), count: binCount)

  /// Adds a sample.
  ///
  /// - Parameter confidence: 0 to 1.
  mutating func add(confidence: Double, isCorrect: Bool) {
    let position = (confidence * Double(Self.binCount)).rounded(.up)
    let bin = min(max(Int(position) - 1, 0), Self.binCount - 1)
    bins[bin].samples += 1
    bins[bin].correct += isCorrect ? 1 : 0
    bins[bin].confidenceSum += Int((confidence * Bin.unit).rounded())
  }

  /// ECE, 0 to 1; 0 of no samples.
  var error: Double {
    let samples = bins.reduce(0) { $0 + $1.samples }
    guard samples > 0 else { return 0 }
    return bins.reduce(0) { error, bin in
      error + Double(bin.samples) / Double(samples) * abs(bin.accuracy - bin.confidence)
    }
  }

  /// All that was counted, to be added up over ranks.
  var counts: [Int] {
    get { bins.flatMap { [$0.samples, $0.correct, $0.confidenceSum] } }
    set {
      bins = (0..<Self.binCount).map {
        Bin(
          samples: newValue[3 * $0], correct: newValue[3 * $0 + 1],
          confidenceSum: newValue[3 * $0 + 2])
      }
    }
  }
}
