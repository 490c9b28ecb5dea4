import TestSupport
import Testing

@testable import Datasets

struct EventConventionTests {
  private func files(
    _ convention: EventConvention, _ split: EventSplit, _ names: [String]
  ) throws -> [String] {
    try convention.files(of: split, among: names, in: "cat")
  }

  @Test func aThousandRecordingsAreSplitByNumber() throws {
    let names = (0..<1000).map { "cifar10_cat_\($0).aedat" }
    let shuffled = names.sorted { $0.utf8.reversed().lexicographicallyPrecedes($1.utf8.reversed()) }
    #expect(try files(.sltt, .training, shuffled) == Array(names[..<900]))
    #expect(try files(.sltt, .validation, shuffled) == Array(names[900...]))
    // One that is lost does not move others into another split.
    #expect(try files(.sltt, .validation, names.filter { $0 != names[5] }) == Array(names[900...]))
  }

  @Test func byNameTenComesBeforeTwo() throws {
    let names = (0..<11).map { "cifar10_cat_\($0).aedat" }
    #expect(try files(.spikingJelly, .validation, names) == ["cifar10_cat_9.aedat"])
    #expect(try files(.spikingJelly, .training, names)[2] == "cifar10_cat_10.aedat")
    #expect(try files(.sltt, .validation, names) == ["cifar10_cat_10.aedat"])
  }

  @Test(arguments: ["cat.aedat", "12_cat.aedat", "cat_99999999999999999999.aedat"])
  func aNameWithoutNumberIsAnError(name: String) {
    let error = #expect(throws: DatasetError.self) { try files(.sltt, .training, [name]) }
    #expect(error?.description.hasPrefix("cat/\(name): is malformed: its name does not") == true)
  }

  /// Frames that published code made of recordings, and the recordings themselves, are the same.
  @Test(arguments: EventConvention.allCases)
  func recordingsGivePublishedFrames(convention: EventConvention) throws {
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 6)
    for number in 0..<20 {
      let name = "cat/cifar10_cat_\(number)"
      // The address's bits 1 to 7 and 8 to 14, and bit 0.
      let events = (0..<50).map { time in
        (
          low: Int.random(in: 0..<128, using: &random),
          high: Int.random(in: 0..<128, using: &random),
          bit: time % 2
        )
      }
      try directory.write(
        EventFixture.aedat2(
          events.enumerated().map { time, event in
            EventFixture.Pixel(
              time: Int64(time), x: 127 - event.high, y: 127 - event.low,
              polarity: 1 - event.bit)
          }), to: "recordings/\(name).aedat")
      var frames = [Float](repeating: 0, count: 2 * 2 * 128 * 128)
      for (index, event) in events.enumerated() {
        let (x, y) =
          convention == .sltt
          ? (127 - event.low, event.high) : (127 - event.high, 127 - event.low)
        frames[((index / 25 * 2 + 1 - event.bit) * 128 + y) * 128 + x] += 1
      }
      try directory.write(
        EventFixture.zip(
          "arr_0.npy",
          EventFixture.npy([2, 2, 128, 128], "<f4", frames.flatMap(EventFixture.bytes))),
        to: "frames/\(name).npz")
    }
    for split in [EventSplit.training, .validation] {
      let sources = try [(EventFormat.cifar10DVS, "recordings"), (.frames, "frames")].map {
        try EventFrames(
          $0, convention, path: directory.file($1), split: split, rule: .number(2, by: .number),
          timesteps: 2, threads: 2)
      }
      #expect(sources[0].count == (split == .training ? 18 : 2))
      for sample in 0..<sources[0].count {
        let frames = try sources.map { source in
          var (bytes, frames): ([UInt8], [Float]) = ([], [])
          try source.file.read(sample, name: "", bytes: &bytes, frames: &frames)
          return frames
        }
        #expect(frames[0] == frames[1])
      }
    }
  }
}
