import Configuration
import Datasets
import Foundation
import TestSupport
import Testing

@testable import Training

/// Opens what it is asked for, and needs nothing else.
struct DataSplitsTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func splits(_ overrides: String...) throws -> DataSplits {
    try DataSplits(
      try Configuration(file: nil, overrides: ["data.path=\(directory.path)"] + overrides))
  }

  @Test func oneSplitOfImagesIsEnough() throws {
    try DigitSubset("val", counts: [3, 2]).write(to: directory, split: "val")
    #expect(try splits().openValidation().count == 5 && splits().classes() == ["0", "1"])
    #expect(throws: DatasetError.self) { try splits().openTraining() }
    try FileManager.default.moveItem(
      atPath: directory.file("val"), toPath: directory.file("train"))
    #expect(try splits().openTraining().count == 5)
  }

  @Test func recordingsAreNotDivided() throws {
    for name in ["Train/0/a.bin", "Train/1/a.bin", "Test/0/a.bin", "Test/1/a.bin"] {
      try directory.write([1, 2, 0, 0, 9], to: name)
    }
    #expect(throws: ConfigurationError.self) { try splits("data.hold_out=0.1").openTraining() }
    #expect(try splits().openTraining().count == 2)
  }

  @Test func ofOneImageAClassNothingIsHeldOut() throws {
    try DigitSubset("train", counts: [1, 1]).write(to: directory, split: "train")
    for share in ["0.1", "0.9"] {
      let error = #expect(throws: DatasetError.self) {
        try splits("data.hold_out=\(share)").openValidation()
      }
      #expect(error == .nothingHeldOut(path: directory.file("train")))
    }
  }

  @Test func recordingsBesideImagesAreAmbiguous() throws {
    for name in ["Train/0/a.bin", "Train/1/a.bin", "Test/0/a.bin", "Test/1/a.bin"] {
      try directory.write([1, 2, 0, 0, 9], to: name)
    }
    #expect(try splits().classes() == ["0", "1"])
    for split in ["train", "val"] {
      try DigitSubset(split, counts: [3, 2]).write(to: directory, split: split)
    }
    let formats = ["nmnist", "image-folder"]
    #expect(
      throws: DatasetError.ambiguousFormat(path: directory.path, formats: formats)
    ) { _ = try splits() }
    #expect(try splits("data.format=image-folder").openTraining().count == 5)
    #expect(try splits("data.format=nmnist").classes() == ["0", "1"])
    try directory.write("", to: "trials_to_train.txt")
    #expect(
      throws: DatasetError.ambiguousFormat(
        path: directory.path, formats: ["dvs-gesture"] + formats)
    ) { _ = try splits() }
  }

  /// The published directories of recordings may have names in lower case, as splits of images have.
  @Test func recordingsInDirectoriesNamedAsSplitsAreNoImages() throws {
    for name in ["train/0/a.bin", "train/1/a.bin", "test/0/a.bin", "test/1/a.bin"] {
      try directory.write([1, 2, 0, 0, 9], to: name)
    }
    _ = try splits()
  }

  @Test func whereFormatsLieSideBySideTheKeySaysWhich() throws {
    for split in ["train", "val"] {
      try DigitSubset(split, counts: [3, 2]).write(to: directory, split: split)
    }
    try directory.write("{}", to: "index.json")
    #expect(try splits("data.format=image-folder").openTraining().count == 5)
    #expect(
      message { _ = try splits("data.format=shards").openTraining() }.hasPrefix(
        directory.file("index.json") + ": is not a usable index of shards"))
    #expect(
      message { _ = try splits().openTraining() }.contains(
        "has files of several formats, shards and image-folder. Say which are meant: data.format="))
    #expect(
      message { _ = try splits("data.format=cifar10").openTraining() }.contains(
        "looks like shards and image-folder"))
  }

  /// Files of N-MNIST have the same ending, as deep.
  @Test func filesOfCIFARTwoDirectoriesDownAreNamed() throws {
    let place = "cifar/cifar-10-batches-bin"
    for name in ["data_batch_1.bin", "test_batch.bin"] {
      try directory.write("", to: "\(place)/\(name)")
    }
    #expect(
      message { _ = try splits().openTraining() }
        == "\(directory.path): holds no image folder, but CIFAR's binary files in \(place). Give that"
        + " directory: data.path=\(directory.file(place)), with data.format left at auto.")
  }

  @Test func anImageFolderMayLieDeeperBesideOtherFiles() throws {
    try DigitSubset("train", counts: [3, 2]).write(to: directory, split: "digits/train")
    try directory.write("{}", to: "index.json")
    #expect(try splits("data.format=image-folder").openTraining().count == 5)
  }

  @Test func framesAreMadeOfWhatIsOpenedOnly() throws {
    for name in ["Train/0/a.bin", "Train/1/a.bin", "Test/0/a.bin", "Test/1/a.bin"] {
      try directory.write([1, 2, 0, 0, 9, 3, 4, 0x80, 0, 10], to: name)
    }
    func made() throws -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: directory.file(".sltt-dist"))) ?? [])
        .filter { $0.hasSuffix(".frames") }
    }
    let splits = try splits("method.timesteps=2")
    #expect(try splits.classes() == ["0", "1"] && made() == [])
    #expect(try splits.openValidation().count == 2)
    #expect(try made() == ["nmnist-test-frames_number_2_split_by_number-2.frames"])
  }

  @Test func aRecipeForColorsNeedsData() throws {
    let recipe = try Configuration(file: nil, overrides: ["data.normalization=imagenet"])
    #expect(recipe.inputChannels == 3)
    #expect(
      message { _ = try DataSplits(recipe) }
        == "--set data.normalization=imagenet: data.normalization = imagenet is for colour images,"
        + " but without data.path the data are the embedded gray digits: set data.path")
  }
}
