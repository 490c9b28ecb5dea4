import TestSupport
import Testing

@testable import Datasets
@testable import SpikingNetworks
@testable import Training

struct WorstSamplesTests {
  /// Samples of one gray pixel, which says which one it is.
  private let batch: Batch

  init() {
    let storage = BatchStorage(capacity: 100, timesteps: 1, frameCount: 1)
    for sample in 0..<100 { storage.frames[sample] = Float(sample) }
    batch = Batch(
      iteration: 0, count: 100, offset: 0, globalCount: 100, mixedShare: nil, replaced: 0,
      storage: storage)
  }

  /// Shows samples with these logits of two classes, all of class 0.
  private func worst(_ most: Int, _ logits: [[Float]]) throws -> [(
    number: Int, sample: WorstSamples.Sample
  )] {
    let worst = WorstSamples(most: most)
    for (number, logits) in logits.enumerated() {
      worst.look(
        at: batch, number, label: 0, Prediction(logitSums: logits, timesteps: 1),
        normalization: .none, imageSize: 1)
    }
    return try worst.samples.map { sample in
      (Int(try DecodedImage(ofFile: sample.picture.png).pixels[0]), sample)
    }
  }

  @Test(arguments: [1, 7, 99, 200]) func areThoseWithTheLeastProbabilityOfTheirClass(
    most: Int
  ) throws {
    var random = SeededGenerator(seed: UInt64(most))
    let logits = (0..<100).map { _ in
      [Float.random(in: -3...3, using: &random), Float.random(in: -3...3, using: &random)]
    }
    // Of two classes, the less likely the further the other one is ahead.
    let order = logits.indices.sorted {
      logits[$0][0] - logits[$0][1] < logits[$1][0] - logits[$1][1]
    }
    let found = try worst(most, logits)
    #expect(found.map(\.number) == Array(order.prefix(most)))
    for (number, sample) in found {
      let isRight = logits[number][0] >= logits[number][1]
      #expect(sample.label == 0 && sample.prediction == (isRight ? 0 : 1))
      #expect(
        abs(sample.confidence - (isRight ? sample.probability : 1 - sample.probability)) < 1e-12)
      #expect(sample.confidence >= 0.5)
    }
  }

  @Test func ofEqualOnesTheFirstStay() throws {
    #expect(try worst(2, [[0, 0], [0, 0], [0, 0], [0, 5]]).map(\.number) == [3, 0])
  }

  /// Nothing is said of a sample whose logits are no numbers.
  @Test func whatPredictsNothingIsNotShown() throws {
    #expect(try worst(5, [[.nan, .infinity], [1, 2]]).map(\.number) == [1])
  }
}
