import Datasets
import Testing

@testable import Configuration

struct ConfigurationChoicesTests {
  /// Of the keys that the data may decide, those that images with these traits do decide.
  private func chosen(
    _ overrides: [String] = [], side: Int, isGray: Bool = false, classes: Int = 10
  ) throws -> [String] {
    var configuration = try read("data: {path: x}", overrides: overrides)
    let keys = configuration.choose(
      for: ImageTraits(side: side, isGray: isGray, classes: classes))
    try configuration.validate()
    return keys.map { "\($0)=\(configuration.value(of: $0) ?? "none")" }
  }

  @Test func smallPhotographsAreTakenForCIFAR() throws {
    #expect(
      try chosen(side: 32) == [
        "data.image_size=32", "model.architecture=resnet18", "model.width=64",
        "model.input_channels=3", "data.augmentation=cifar", "data.normalization=cifar10",
      ])
    #expect(try chosen(side: 32, classes: 100).last == "data.normalization=cifar100")
  }

  @Test(arguments: [
    (8, 28), (28, 28), (64, 64), (65, 64), (96, 96), (127, 96), (223, 192), (224, 224), (2000, 224),
  ])
  func theImageSizeFollowsFromTheShorterSide(side: Int, size: Int) throws {
    let keys = try chosen(side: side)
    #expect(keys.contains("data.image_size=\(size)"))
    let isSmall = size <= 64
    #expect(keys.contains("model.architecture=\(isSmall ? "resnet18" : "nf-resnet34")"))
    #expect(keys.contains("data.augmentation=\(isSmall ? "cifar" : "imagenet")"))
    #expect(keys.contains("data.normalization=\(isSmall ? "cifar10" : "imagenet")"))
  }

  @Test func grayImagesAreTakenForDigits() throws {
    #expect(
      try chosen(side: 28, isGray: true) == [
        "data.image_size=28", "model.input_channels=1", "data.augmentation=shift",
        "data.normalization=mnist",
      ])
    #expect(
      try chosen(side: 300, isGray: true) == [
        "data.image_size=224", "model.architecture=nf-resnet34", "model.width=64",
        "model.input_channels=1", "data.augmentation=imagenet", "data.normalization=mnist",
      ])
  }

  @Test(arguments: [
    // The network is one choice, and its width another.
    ("model.architecture=vgg11", "model.architecture", "model.width"),
    ("model.family=vgg", "model.architecture", "model.width"),
    ("model.width=8", "model.width", "model.width"),
    ("data.image_size=40", "data.image_size", "data.image_size"),
    ("data.augmentation=none", "data.augmentation", "data.augmentation"),
    // What it does without channels of its own, as before: 3.
    ("data.normalization=unit", "data.normalization", "model.input_channels"),
    ("data.normalization=cifar100", "data.normalization", "model.input_channels"),
    ("model.input_channels=3", "model.input_channels", "model.input_channels"),
  ])
  func whatIsSetStays(setting: String, key: String, other: String) throws {
    let rest = setting == "model.family=vgg" ? ["model.blocks=[1, 1]"] : []
    let keys = try chosen([setting] + rest, side: 32)
    #expect(!keys.contains { $0.hasPrefix("\(key)=") || $0.hasPrefix("\(other)=") })
    #expect(keys.count >= 4)
  }

  @Test func othersFollowFromWhatIsSet() throws {
    // Images are decoded to the channels that are set.
    #expect(
      try chosen(["model.input_channels=1"], side: 28).last == "data.normalization=mnist")
    #expect(
      try chosen(["data.normalization=mnist"], side: 28).contains("model.input_channels=1"))
    #expect(
      try chosen(["model.input_channels=3"], side: 28, isGray: true).last
        == "data.normalization=cifar10")
    #expect(
      try chosen(["data.image_size=32"], side: 500).contains("model.architecture=resnet18"))
    #expect(try chosen(["model.width=8"], side: 32).contains("model.architecture=resnet18"))
  }

  @Test func recordingsAreTrainedAsInTheRecipes() throws {
    func chosen(_ overrides: [String] = [], for traits: RecordingTraits) throws -> [String] {
      var configuration = Configuration()
      try configuration.apply(overrides: ["data.path=x"] + overrides)
      let keys = configuration.choose(for: traits)
      try configuration.validate()
      return keys.map { "\($0)=\(configuration.value(of: $0) ?? "none")" }
    }
    #expect(
      try chosen(for: RecordingTraits(.nmnist, width: 34, height: 34)) == [
        "data.image_size=34", "model.architecture=vgg11", "model.width=16", "method.timesteps=10",
      ])
    #expect(
      try chosen(for: RecordingTraits(.dvsGesture, width: 128, height: 128)) == [
        "data.image_size=128", "model.architecture=vgg11", "model.width=64", "method.timesteps=20",
      ])
    #expect(
      try chosen(for: RecordingTraits(.cifar10DVS, width: 128, height: 128)).first
        == "data.image_size=48")
    let rule = FrameRule.number(16, by: .time)
    let frames = RecordingTraits(.frames, width: 240, height: 180, frames: 16, rule: rule)
    #expect(
      try chosen(for: frames) == [
        "data.image_size=128", "model.architecture=vgg11", "model.width=64",
        "data.frames={number: 16, split_by: time}", "method.timesteps=16",
      ])
    #expect(try chosen(["method.timesteps=4"], for: frames).count == 3)
    #expect(
      try chosen(["data.frames={number: 6}"], for: RecordingTraits(.nmnist, width: 34, height: 34))
        .last
        == "method.timesteps=6")
  }

  @Test func aConfigurationThatSaysAllIsNotOpen() throws {
    let all = try read(
      """
      model: {family: resnet, blocks: [1]}
      method: {timesteps: 4}
      data: {path: x, image_size: 28, augmentation: none, normalization: unit}
      """)
    #expect(!all.isOpen(toRecordings: false) && !all.isOpen(toRecordings: true))
    #expect(try read("data: {path: x}").isOpen(toRecordings: false))
    // What was written once says all, also what was chosen.
    var chosen = try read("data: {path: x}")
    _ = chosen.choose(for: ImageTraits(side: 32, isGray: false, classes: 10))
    let again = try read(chosen.yaml)
    #expect(!again.isOpen(toRecordings: false) && !again.isOpen(toRecordings: true))
    #expect(again == chosen)
  }

  @Test func aRunThatGoesOnKeepsWhatWasChosen() throws {
    var earlier = try read("data: {path: x}", overrides: ["method.timesteps=6"])
    _ = earlier.choose(for: ImageTraits(side: 96, isGray: false, classes: 10))
    var now = try read("data: {path: x}")
    now.choose(asIn: earlier)
    #expect(now == earlier)
    var other = try read("data: {path: x, image_size: 32}", overrides: ["model.architecture=vgg11"])
    other.choose(asIn: earlier)
    #expect(other.data.imageSize == 32 && other.model.architecture == .vgg11)
    #expect(other.model.width == 16 && other.data.augmentation.yaml == "imagenet")
  }

  @Test func aChoiceThatDoesNotFitIsToldAsOne() throws {
    var configuration = try read("data: {path: x}")
    _ = configuration.choose(for: ImageTraits(side: 5, isGray: true, classes: 10))
    #expect(
      configuration.error("data.image_size", "is small").description
        == "chosen from the data: data.image_size is small")
  }
}
