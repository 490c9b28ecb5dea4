import Foundation
import Testing

@testable import SpikingNetworks

struct PredictionTests {
  @Test func probabilitiesAreThoseOfTheMean() throws {
    let prediction = try #require(Prediction(logitSums: [0, 2, -4], timesteps: 2))
    let terms = [1, exp(1.0), exp(-2.0)]
    let expected = terms.map { $0 / terms.reduce(0, +) }
    #expect(zip(prediction.probabilities, expected).allSatisfy { abs($0 - $1) < 1e-12 })
    #expect(prediction.label == 1)
    #expect(prediction.top(2) == [1, 0] && prediction.top(9) == [1, 0, 2])
  }

  @Test func theFirstOfEqualLogitsCounts() throws {
    let prediction = try #require(Prediction(logitSums: [1, 3, 3, 1], timesteps: 4))
    #expect(prediction.label == 1 && prediction.top(4) == [1, 2, 0, 3])
  }

  @Test func whatIsNoNumberIsTheLeast() throws {
    let prediction = try #require(Prediction(logitSums: [.nan, -1, -2], timesteps: 1))
    #expect(prediction.top(3) == [1, 2, 0])
    #expect(prediction.probabilities[0] == 0)
    #expect(abs(prediction.probabilities.reduce(0, +) - 1) < 1e-12)
  }

  @Test(arguments: [[Float.nan, .nan], [.infinity, 1], [-.infinity, .nan]])
  func withoutAFiniteGreatestLogitThereIsNone(logits: [Float]) {
    #expect(Prediction(logitSums: logits, timesteps: 1) == nil)
  }
}
