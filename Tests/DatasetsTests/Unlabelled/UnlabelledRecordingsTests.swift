import Support
import TestSupport
import Testing

@testable import Datasets

struct UnlabelledRecordingsTests {
  private let directory: TemporaryDirectory
  private let rule = FrameRule.number(3, by: .number)

  init() throws { directory = try TemporaryDirectory() }

  private func path(_ name: String) -> RawPath { RawPath(directory.file(name)) }

  private func frames(
    _ source: any FrameSource, _ sample: Int
  ) throws -> (sensor: Sensor, values: [Float]) {
    var frames: [Float] = []
    let sensor = try source.makeFrameReader().read(sample, into: &frames)
    return (sensor, frames)
  }

  /// Whatever was made of them for training.
  @Test func framesAreThoseOfTheDataSet() throws {
    for (split, digit) in [("Train", 0), ("Train", 1), ("Test", 0), ("Test", 1)] {
      for number in 0..<2 {
        let pixels = EventFixture.pixels(count: 90, size: 34, seed: 10 * digit + number)
        try directory.write(EventFixture.atis(pixels), to: "n/\(split)/\(digit)/\(number).bin")
      }
    }
    let stored = try EventFrames(
      .nmnist, path: directory.file("n"), split: .validation, rule: rule, timesteps: 3, threads: 1)
    var recordings = UnlabelledRecordings(.spikingJelly, rule: rule, timesteps: 3)
    try recordings.add(path("n/Test"))
    #expect(recordings.count == 4 && recordings.timesteps == 3)
    for sample in 0..<4 {
      #expect(recordings.name(of: sample) == stored.name(of: sample))
      #expect(try frames(recordings, sample).values == frames(stored, sample).values)
    }
  }

  @Test func eachFileTellsItsFormat() throws {
    let pixels = EventFixture.pixels(count: 30, size: 34)
    try directory.write(EventFixture.atis(pixels), to: "a.bin")
    try directory.write(EventFixture.aedat2(pixels), to: "b.aedat")
    let gestures = EventFixture.aedat3Header + EventFixture.packet(pixels)
    try directory.write(gestures, to: "c.aedat")
    try directory.write(gestures, to: "d.aedat")
    try directory.write(
      "class,startTime_usec,endTime_usec\n1,0,2000\n2,2000,99000\n", to: "d_labels.csv")
    var recordings = UnlabelledRecordings(.spikingJelly, rule: rule, timesteps: 3)
    try recordings.add(RawPath(directory.path))
    let names = (0..<recordings.count).map {
      String(recordings.name(of: $0).dropFirst(directory.path.count + 1))
    }
    #expect(names == ["a.bin", "b.aedat", "c.aedat", "d.aedat, sample 1", "d.aedat, sample 2"])
    let all = try (0..<5).map { try frames(recordings, $0) }
    #expect(all.map(\.sensor.width) == [34, 128, 128, 128, 128])
    #expect(all.map { $0.values.reduce(0, +) } == [30, 30, 30, 10, 20])
    // The same events, by cameras of other sizes.
    #expect(all[1].values == all[2].values)
  }

  /// A reader keeps what it has made of a file.
  @Test func samplesOfAFileMayBeReadInAnyOrder() throws {
    let pixels = EventFixture.pixels(count: 30, size: 34)
    for name in ["a", "b"] {
      try directory.write(
        EventFixture.aedat3Header + EventFixture.packet(pixels), to: name + ".aedat")
      try directory.write(
        "class,startTime_usec,endTime_usec\n1,0,2000\n2,2000,99000\n3,500000,600000\n",
        to: name + "_labels.csv")
    }
    var recordings = UnlabelledRecordings(.spikingJelly, rule: rule, timesteps: 3)
    for name in ["a", "a", "b"] { try recordings.add(path(name + ".aedat")) }
    let reader = recordings.makeFrameReader()
    for sample in [4, 0, 7, 1, 3, 6] {
      var values: [Float] = []
      _ = try reader.read(sample, into: &values)
      #expect(try values == frames(recordings, sample).values)
      #expect(values.reduce(0, +) == [10, 20][sample % 3])
    }
    for sample in [2, 8] {
      var values: [Float] = []
      #expect(
        message { _ = try reader.read(sample, into: &values) }.contains("there are no events"))
    }
  }

  @Test func whatIsNoRecordingIsAnErrorOfThatSample() throws {
    try directory.write([1, 2, 3], to: "cut.bin")
    try directory.write([1, 2, 3], to: "picture.png")
    var recordings = UnlabelledRecordings(.spikingJelly, rule: rule, timesteps: 3)
    try recordings.add(path("cut.bin"))
    try recordings.add(path("picture.png"))
    for (sample, name, problem) in [
      (0, "cut.bin", "the file ends within an event"), (1, "picture.png", "it is no recording"),
    ] {
      let text = message { _ = try frames(recordings, sample) }
      #expect(text.hasPrefix("\(path(name)): is malformed: "), "\(text)")
      #expect(text.contains(problem), "\(text)")
    }
    try directory.makeDirectory("empty")
    #expect(
      message { try recordings.add(path("empty")) }.contains("has no .bin, .aedat or .npz files"))
  }
}
