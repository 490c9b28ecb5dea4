import TestSupport
import Testing

@testable import Datasets

struct RecordingTraitsTests {
  @Test func ofOneCameraTheFormatTellsAll() throws {
    #expect(
      try RecordingTraits(.nmnist, path: "nowhere")
        == RecordingTraits(.nmnist, width: 34, height: 34))
    #expect(
      try RecordingTraits(.dvsGesture, path: "nowhere")
        == RecordingTraits(.dvsGesture, width: 128, height: 128))
  }

  @Test func ofStoredFramesTheFirstFileDoes() throws {
    let directory = try TemporaryDirectory()
    func write(_ place: String, frames: Int) throws {
      let array = EventFixture.npy(
        [frames, 2, 3, 5], "|u1", [UInt8](repeating: 1, count: frames * 30))
      try directory.write(EventFixture.zip("frames.npy", array), to: "\(place)/train/a/1.npz")
    }
    func traits(_ rule: FrameRule? = nil) throws -> RecordingTraits {
      try RecordingTraits(.frames, path: directory.path, rule: rule)
    }
    try write(".", frames: 7)
    #expect(try traits() == RecordingTraits(.frames, width: 5, height: 3, frames: 7))
    try write("frames_number_4_split_by_time", frames: 4)
    let byTime = FrameRule.number(4, by: .time)
    #expect(
      try traits() == RecordingTraits(.frames, width: 5, height: 3, frames: 4, rule: byTime))
    try write("duration_500", frames: 9)
    #expect(try traits().rule == .duration(500))
    #expect(try traits(byTime).frames == 4)
  }

  @Test(arguments: [
    FrameRule.number(12, by: .number), .number(3, by: .time), .duration(20_000),
  ])
  func directoriesOfFramesNameTheirRule(rule: FrameRule) {
    #expect(FrameRule(directoryName: rule.directoryName) == rule)
  }

  @Test(arguments: [
    "frames_number_0_split_by_number", "frames_number_10_split_by_size", "duration_", "train",
    "frames_number_99999_split_by_time",
  ])
  func othersNameNone(name: String) { #expect(FrameRule(directoryName: name) == nil) }
}
