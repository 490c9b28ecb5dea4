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

  /// The training split of an archive of its own for each rank.
  private func ownArchive(_ image: String, in directory: TemporaryDirectory) throws
    -> any SampleSource
  {
    var tar = TarFile()
    tar.addFile("train/a/1.png", "first")
    tar.addFile("train/a/2.png", image)
    try directory.write(tar.closed, to: "x.tar")
    return try DataSplits(
      Configuration(file: nil, overrides: ["data.path=\(directory.file("x.tar"))"]), communicator
    ).openTraining()
  }

  @Test func rankZeroListsAnArchiveForAll() throws {
    let directory = try TemporaryDirectory()
    let source = try #require(ownArchive("second", in: directory) as? any ImageSource)
    #expect(source.location == directory.file("x.tar") + ":train")
    #expect(try source.bytes(of: 1) == Array("second".utf8))
  }

  @Test func anArchiveOfOtherContentIsAnother() throws {
    let directory = try TemporaryDirectory()
    let last = communicator.size - 1
    let error = try #require(throws: DifferentData.self) {
      _ = try ownArchive(communicator.rank == last ? "2 else" : "second", in: directory)
    }
    #expect(error.found.rank == last && error.found.samples == 2)
    #expect("\(error)".contains("but not the same ones"))
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
