import Configuration
import Datasets
import Distributed
import TestSupport
import Testing

@testable import Training

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct DataCheckMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func equalListsPass() throws {
    try communicator.checkSameSamples(of: DigitSubset("val", counts: [3, 2]))
    _ = try TrainingData(Configuration(), communicator)
  }

  @Test func theRankWithOtherSamplesIsNamed() throws {
    let last = communicator.size - 1
    let counts = communicator.rank == last ? [3, 2, 1] : [3, 2]
    let error = try #require(throws: DifferentData.self) {
      try communicator.checkSameSamples(of: DigitSubset("val", counts: counts))
    }
    #expect(error.expected.rank == 0 && error.expected.samples == 5 && error.expected.classes == 2)
    #expect(error.found.rank == last && error.found.samples == 6 && error.found.classes == 3)
    #expect(error.found.hostName == communicator.hostName)
  }

  @Test func everyRankNeedsASampleToTrainOn() throws {
    let configuration = try Configuration(file: nil, overrides: ["training.global_batch=50"])
    let images = try DigitSubset("val", counts: [1])
    #expect(throws: ConfigurationError.self) {
      try configuration.loader(images, isTraining: true, communicator, threads: 1)
    }
    _ = try configuration.loader(images, isTraining: false, communicator, threads: 1)
  }
}
