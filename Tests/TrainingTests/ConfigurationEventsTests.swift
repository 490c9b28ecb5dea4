import Configuration
import Datasets
import TestSupport
import Testing

@testable import Training

struct ConfigurationEventsTests {
  private func configuration(_ overrides: String...) throws -> Configuration {
    try Configuration(file: nil, overrides: overrides)
  }

  @Test func framesAreReadAndWritten() throws {
    let cases: [(String, FrameRule)] = [
      ("{number: 4, split_by: time}", .number(4, by: .time)),
      ("{number: 4}", .number(4, by: .number)), ("{duration: 30000}", .duration(30_000)),
    ]
    for (text, rule) in cases {
      let result = try configuration("data.frames=\(text)", "method.timesteps=4")
      #expect(result.data.frames == rule)
      var again = Configuration()
      try again.apply(yaml: result.yaml, from: "written")
      #expect(again == result)
    }
    #expect(try configuration("method.timesteps=7").frameRule == .number(7, by: .number))
  }

  @Test(
    arguments: [
      "{number: 0}", "{number: 4, duration: 5}", "{split_by: time}", "{}", "4", "[4]",
      "{number: 4, split_by: size}", "{number: 4, by: time}", "{duration: -1}",
    ])
  func otherFramesAreErrors(text: String) {
    #expect(throws: ConfigurationError.self) {
      try configuration("data.frames=\(text)", "method.timesteps=4")
    }
  }

  @Test func framesAreAsManyAsTimeSteps() {
    let error = #expect(throws: ConfigurationError.self) {
      try configuration("data.frames={number: 4}", "method.timesteps=5")
    }
    #expect(error?.key == "data.frames")
  }

  @Test func augmentationIsReadAndWritten() throws {
    let result = try configuration("data.event_augmentation={flip: true, roll: 5}")
    #expect(result.data.eventAugmentation == EventAugmentation(flips: true, shift: 0, roll: 5))
    var again = Configuration()
    try again.apply(yaml: result.yaml, from: "written")
    #expect(again == result)
    for text in ["{flip: 1}", "{shift: -1}", "{turn: 3}", "true"] {
      #expect(throws: ConfigurationError.self) {
        try configuration("data.event_augmentation=\(text)")
      }
    }
  }

  @Test func keysOfEventsAreNotForImages() throws {
    for setting in [
      "data.event_normalization=maximum", "data.frames={duration: 5}", "data.convention=sltt",
    ] {
      let configuration = try configuration(setting)
      let error = #expect(throws: ConfigurationError.self) { try TrainingData(configuration) }
      #expect(setting.hasPrefix(error?.key ?? "none"))
    }
  }

  @Test func recordingsAreFoundAndHaveTwoPolarities() throws {
    let directory = try TemporaryDirectory()
    let events: [UInt8] = [1, 2, 0, 0, 9, 3, 4, 0x80, 0, 10]
    for name in ["Train/0", "Train/1", "Test/0", "Test/1"] {
      try directory.write(events, to: "\(name)/a.bin")
    }
    let found = try configuration("data.path=\(directory.path)")
    #expect(found.eventFormat == .nmnist)
    #expect(found.inputChannels == 2)
    let data = try TrainingData(found)
    #expect(data.classes == ["0", "1"])
    #expect(data.validation.count == 2)

    for setting in [
      "model.input_channels=3", "data.augmentation=imagenet", "data.train=fold1",
      "data.validation=Train", "data.evaluation=imagenet", "data.decoding=fast",
      "data.sharding=node-local", "data.convention=sltt",
    ] {
      let configuration = try configuration("data.path=\(directory.path)", setting)
      let error = #expect(throws: ConfigurationError.self) { try TrainingData(configuration) }
      #expect(setting.hasPrefix(error?.key ?? "none"))
    }
  }
}
