import Testing

@testable import Training

struct CalibrationTests {
  @Test func weighsTheBinsByTheirSamples() {
    var calibration = Calibration()
    #expect(calibration.error == 0)
    // In the bin up to 14/15 three samples, one of them wrong, and in the last one a right one.
    for (confidence, isCorrect) in [(0.88, true), (0.9, true), (0.92, false), (1, true)] {
      calibration.add(confidence: confidence, isCorrect: isCorrect)
    }
    #expect(calibration.bins.map(\.samples) == [Int](repeating: 0, count: 13) + [3, 1])
    #expect(abs(calibration.bins[13].confidence - 0.9) < 1e-6)
    #expect(calibration.bins[13].accuracy == 2.0 / 3)
    #expect(abs(calibration.error - 0.75 * (0.9 - 2.0 / 3)) < 1e-6)
  }

  @Test func binsAreClosedAbove() {
    var calibration = Calibration()
    for confidence in [0, 1e-9, 1.0 / 3, 1.0 / 3 + 1e-9, 1] {
      calibration.add(confidence: confidence, isCorrect: true)
    }
    let filled = calibration.bins.indices.filter { calibration.bins[$0].samples > 0 }
    #expect(filled == [0, 4, 5, 14] && calibration.bins[0].samples == 2)
  }

  @Test func countsAreAllThatThereIs() {
    var (calibration, other) = (Calibration(), Calibration())
    for step in 0..<40 { calibration.add(confidence: Double(step) / 40, isCorrect: step % 3 > 0) }
    other.counts = calibration.counts
    #expect(other.error == calibration.error && other.error > 0.1)
    #expect(other.counts == calibration.counts)
  }
}
