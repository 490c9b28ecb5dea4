import Testing

@testable import Datasets

struct NormalizationTests {
  @Test func mapsSamplesAsPyTorchDoes() throws {
    #expect(try value(.none, channels: 3, channel: 2, sample: 200) == 200)
    #expect(try value(.unit, channels: 1, channel: 0, sample: 51) == 0.2)
    #expect(try value(.mnist, channels: 1, channel: 0, sample: 0) == -0.1307 / 0.3081)
    #expect(try value(.imagenet, channels: 3, channel: 1, sample: 255) == (1 - 0.456) / 0.224)
    #expect(try value(.cifar10, channels: 3, channel: 2, sample: 0) == -0.4465 / 0.2010)
    #expect(try value(.cifar100, channels: 3, channel: 0, sample: 0) == -0.5071 / 0.2675)
  }

  @Test func refusesAnotherNumberOfChannels() {
    #expect(throws: DatasetError.normalizationMismatch(preset: .imagenet, channels: 1)) {
      try Normalization(.imagenet, channels: 1)
    }
    #expect(throws: DatasetError.normalizationMismatch(preset: .mnist, channels: 3)) {
      try Normalization(.mnist, channels: 3)
    }
  }

  /// Also of images that augmentation has made brighter or darker than samples can be.
  @Test(arguments: NormalizationPreset.allCases)
  func samplesComeBack(preset: NormalizationPreset) throws {
    let channels = preset.channels ?? 3
    let samples = (0..<256 * channels).map { UInt8($0 / channels) }
    let values = try samples.enumerated().map { index, sample in
      try value(preset, channels: channels, channel: index % channels, sample: Int(sample))
    }
    #expect(preset.samples(of: values, channels: channels) == samples)
    let beyond = [-1000, 1000, .nan, .infinity] as [Float]
    #expect(
      beyond.map { preset.samples(of: [Float](repeating: $0, count: channels), channels: channels) }
        == [0, 255, 0, 255].map { [UInt8](repeating: $0, count: channels) })
  }

  private func value(
    _ preset: NormalizationPreset, channels: Int, channel: Int, sample: Int
  ) throws -> Float {
    try Normalization(preset, channels: channels).withTable { $0[channel * 256 + sample] }
  }
}
